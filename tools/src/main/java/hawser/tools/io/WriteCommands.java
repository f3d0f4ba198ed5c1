package hawser.tools.io;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.BlockNode;
import hawser.tools.Getopt;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** {@code write}, {@code writev} and {@code discard}. */
final class WriteCommands {
  /** What is written when nobody says what. */
  static final byte UNSAID = (byte) 0xcd;

  private WriteCommands() {}

  static List<IoCommand> all() {
    return List.of(
        IoCommand.of(
                "write",
                "[-bcCfnqruz] [-P pattern | -s source_file] off len",
                "writes a number of bytes at a specified offset",
                2,
                -1,
                WriteCommands::write)
            .called("w")
            .helping(
                """

                 -b  to the saved state of a virtual machine instead of the disk
                 -c  compressed
                 -C  report in one line of numbers
                 -f  durable when it is done (FUA)
                 -n  with -z: fail instead of writing zeroes as slowly as data
                 -P  every byte is this one; 0xcd without it
                 -q  report nothing
                 -r  register the buffer (accepted)
                 -s  the bytes of this file, over and over
                 -u  with -z: the room may be given back
                 -z  zeroes
                """),
        IoCommand.of(
                "writev",
                "[-Cfqr] [-P pattern] off len [len..]",
                "writes a number of bytes at a specified offset",
                2,
                -1,
                WriteCommands::writeVectored)
            .helping(
                """

                 -C  report in one line of numbers
                 -f  durable when it is done (FUA)
                 -P  every byte is this one; 0xcd without it
                 -q  report nothing
                 -r  register the buffer (accepted)
                """),
        IoCommand.of(
                "discard",
                "[-Cq] off len",
                "discards a number of bytes at a specified offset",
                2,
                -1,
                WriteCommands::discard)
            .called("d")
            .helping("\n -C  report in one line of numbers\n -q  report nothing\n"));
  }

  /** What the options of a write say. */
  static final class Asked {
    boolean vmState;
    boolean zero;
    boolean machine;
    boolean quiet;
    boolean registered;
    int flags;
    @Nullable Byte pattern;
    @Nullable String source;

    Report report() {
      return new Report(quiet, machine);
    }

    boolean has(int flag) {
      return (flags & flag) != 0;
    }

    byte fill() {
      return pattern == null ? UNSAID : pattern;
    }
  }

  /** Takes one option; false after its complaint. */
  static boolean option(Getopt line, Words words, Asked asked) {
    switch (line.key()) {
      case "b" -> asked.vmState = true;
      case "c" -> asked.flags |= BlockNode.COMPRESSED;
      case "C" -> asked.machine = true;
      case "f" -> asked.flags |= BlockNode.FUA;
      case "n" -> asked.flags |= BlockNode.NO_FALLBACK;
      case "p" -> {}
      case "P" -> {
        Optional<Byte> pattern = words.pattern(line.value());
        asked.pattern = pattern.orElse(null);
        return pattern.isPresent();
      }
      case "q" -> asked.quiet = true;
      case "r" -> asked.registered = true;
      case "s" -> asked.source = line.value();
      case "u" -> asked.flags |= BlockNode.MAY_UNMAP;
      case "z" -> asked.zero = true;
      default -> throw line.unhandled();
    }
    return true;
  }

  /** What two options together make no sense, in QEMU's words, or null. */
  private static @Nullable String contradiction(Asked asked) {
    if (asked.vmState && asked.zero) {
      return "-b and -z cannot be specified at the same time";
    }
    if (asked.has(BlockNode.FUA) && (asked.vmState || asked.has(BlockNode.COMPRESSED))) {
      return "-f and -b or -c cannot be specified at the same time";
    }
    if (asked.has(BlockNode.NO_FALLBACK) && !asked.zero) {
      return "-n requires -z to be specified";
    }
    if (asked.has(BlockNode.MAY_UNMAP) && !asked.zero) {
      return "-u requires -z to be specified";
    }
    int sources = (asked.zero ? 1 : 0) + (asked.pattern == null ? 0 : 1);
    if (sources + (asked.source == null ? 0 : 1) > 1) {
      return "Only one of -z, -P, and -s can be specified at the same time";
    }
    return null;
  }

  private static boolean write(IoSession session, Words words) throws BlockFault {
    session.checkWritable();
    Getopt line = words.options("bcCfnpP:qrs:uz");
    var asked = new Asked();
    while (line.next()) {
      if (!option(line, words, asked)) {
        return false;
      }
    }
    List<String> operands = line.operands();
    if (operands.size() != 2) {
      return words.usage();
    }
    String contradiction = contradiction(asked);
    if (contradiction != null) {
      session.io().line(contradiction);
      return false;
    }
    Optional<Span> span =
        asked.has(BlockNode.NO_FALLBACK)
            ? Span.unbounded(operands, words)
            : Span.of(operands, words, " without -n");
    if (span.isEmpty()) {
      return false;
    }
    long offset = span.get().offset();
    long count = span.get().bytes();
    if ((asked.vmState || asked.has(BlockNode.COMPRESSED))
        && !ReadCommands.aligned(session, offset, count)) {
      return false;
    }
    if (asked.zero && asked.registered) {
      session.io().line("cannot combine zero write with registered I/O buffer");
      return false;
    }
    return write(session, asked, offset, count);
  }

  private static boolean write(IoSession session, Asked asked, long offset, long count) {
    try (var arena = Arena.ofShared()) {
      MemorySegment buffer =
          asked.zero ? MemorySegment.NULL : session.buffer(arena, count, asked.fill());
      if (asked.source != null && !fill(session, buffer, asked.source)) {
        return false;
      }
      long start = System.nanoTime();
      try {
        if (asked.vmState) {
          throw BlockFault.of(Errno.EOPNOTSUPP, "no saved state");
        }
        session.check(offset, count);
        if (asked.zero) {
          session.node().writeZeroes(offset, count, session.writeFlags(asked.flags));
        } else {
          session.node().write(buffer, offset, session.writeFlags(asked.flags));
        }
      } catch (BlockFault e) {
        session.flights().report();
        session.io().line("write failed: " + e.errno().text());
        return false;
      }
      long nanos = System.nanoTime() - start;
      session.flights().report();
      asked.report().print(session.io(), "wrote", nanos, offset, count);
      return true;
    }
  }

  /** Fills a buffer with a file's bytes, repeated; false after a complaint. */
  private static boolean fill(IoSession session, MemorySegment buffer, String source) {
    byte[] bytes;
    try (var in = Files.newInputStream(Path.of(source))) {
      bytes = in.readNBytes((int) buffer.byteSize());
    } catch (NoSuchFileException e) {
      session.io().error(source + ": " + Errno.ENOENT.text());
      return false;
    } catch (IOException e) {
      session.io().error(source + ": " + e.getMessage());
      return false;
    }
    if (bytes.length == 0) {
      session.io().error(source + ": file is empty");
      return false;
    }
    for (long at = 0; at < buffer.byteSize(); at += bytes.length) {
      long part = Math.min(bytes.length, buffer.byteSize() - at);
      MemorySegment.copy(MemorySegment.ofArray(bytes), 0, buffer, at, part);
    }
    return true;
  }

  private static boolean writeVectored(IoSession session, Words words) throws BlockFault {
    session.checkWritable();
    Getopt line = words.options("CfP:qr");
    var asked = new Asked();
    while (line.next()) {
      if (!option(line, words, asked)) {
        return false;
      }
    }
    Optional<VectorRequest> request = VectorRequest.of(line.operands(), words);
    if (request.isEmpty()) {
      return false;
    }
    try (var arena = Arena.ofShared()) {
      MemorySegment buffer = session.buffer(arena, request.get().bytes(), asked.fill());
      return request
          .get()
          .write(session, buffer, asked.flags, asked.report(), "writev failed: ")
          .getAsBoolean();
    }
  }

  private static boolean discard(IoSession session, Words words) throws BlockFault {
    session.checkWritable();
    Getopt line = words.options("Cq");
    var asked = new Asked();
    while (line.next()) {
      if (!option(line, words, asked)) {
        return false;
      }
    }
    Optional<Span> span = Span.of(line.operands(), words);
    if (span.isEmpty()) {
      return false;
    }
    long offset = span.get().offset();
    long bytes = span.get().bytes();
    long start = System.nanoTime();
    try {
      session.check(offset, bytes);
      session.node().discard(offset, bytes);
    } catch (BlockFault e) {
      session.io().line("discard failed: " + e.errno().text());
      return false;
    }
    asked.report().print(session.io(), "discard", System.nanoTime() - start, offset, bytes);
    return true;
  }
}
