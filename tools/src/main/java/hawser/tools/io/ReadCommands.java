package hawser.tools.io;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.tools.Getopt;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** {@code read} and {@code readv}. */
final class ReadCommands {
  /** What a buffer holds before it is read into. */
  static final byte UNREAD = (byte) 0xab;

  private static final int SECTOR_BYTES = 512;

  private ReadCommands() {}

  static List<IoCommand> all() {
    return List.of(
        IoCommand.of(
                "read",
                "[-abCqrv] [-P pattern [-s off] [-l len]] off len",
                "reads a number of bytes at a specified offset",
                2,
                -1,
                ReadCommands::read)
            .called("r")
            .helping(
                """

                 -b  from the saved state of a virtual machine instead of the disk
                 -C  report in one line of numbers
                 -P  check that every byte is this one; -s and -l name a part of what is read
                 -q  report nothing
                 -r  register the buffer (accepted)
                 -v  print what was read
                """),
        IoCommand.of(
                "readv",
                "[-Cqrv] [-P pattern] off len [len..]",
                "reads a number of bytes at a specified offset",
                2,
                -1,
                ReadCommands::readVectored)
            .helping(
                """

                 -C  report in one line of numbers
                 -P  check that every byte is this one
                 -q  report nothing
                 -r  register the buffer (accepted)
                 -v  print what was read
                """));
  }

  /** What the options of a read say. */
  static final class Asked {
    boolean vmState;
    boolean machine;
    boolean quiet;
    boolean dump;
    @Nullable Byte pattern;
    @Nullable Long checkFrom;
    @Nullable Long checkBytes;

    Report report() {
      return new Report(quiet, machine);
    }
  }

  private static boolean read(IoSession session, Words words) throws BlockFault {
    Getopt line = words.options("bCl:pP:qrs:v");
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
    if (asked.pattern == null && (asked.checkFrom != null || asked.checkBytes != null)) {
      return words.usage();
    }
    return read(session, asked, span.get().offset(), span.get().bytes());
  }

  /** Takes one option; false after its complaint. */
  private static boolean option(Getopt line, Words words, Asked asked) {
    switch (line.key()) {
      case "b" -> asked.vmState = true;
      case "C" -> asked.machine = true;
      case "q" -> asked.quiet = true;
      case "v" -> asked.dump = true;
      case "p", "r" -> {}
      case "P" -> {
        Optional<Byte> pattern = words.pattern(line.value());
        asked.pattern = pattern.orElse(null);
        return pattern.isPresent();
      }
      case "l", "s" -> {
        OptionalLong number = words.number(line.value());
        if (number.isEmpty()) {
          return false;
        }
        if (line.key().equals("l")) {
          asked.checkBytes = number.getAsLong();
        } else {
          asked.checkFrom = number.getAsLong();
        }
      }
      default -> throw line.unhandled();
    }
    return true;
  }

  private static boolean read(IoSession session, Asked asked, long offset, long count) {
    long from = asked.checkFrom == null ? 0 : asked.checkFrom;
    long bytes = asked.checkBytes == null ? count - from : asked.checkBytes;
    if (bytes < 0 || bytes + from > count) {
      session.io().line("pattern verification range exceeds end of read data");
      return false;
    }
    if (asked.vmState && !aligned(session, offset, count)) {
      return false;
    }
    try (var arena = Arena.ofShared()) {
      MemorySegment buffer = session.buffer(arena, count, UNREAD);
      long start = System.nanoTime();
      try {
        if (asked.vmState) {
          throw BlockFault.of(Errno.EOPNOTSUPP, "no saved state");
        }
        session.check(offset, count);
        session.node().read(buffer, offset);
      } catch (BlockFault e) {
        session.flights().report();
        session.io().line("read failed: " + e.errno().text());
        return false;
      }
      long nanos = System.nanoTime() - start;
      session.flights().report();
      boolean same = verified(session, asked.pattern, buffer.asSlice(from, bytes), offset + from);
      if (asked.dump && !asked.quiet) {
        Report.dump(session.io(), buffer, offset);
      }
      asked.report().print(session.io(), "read", nanos, offset, count);
      return same;
    }
  }

  /** The complaint of requests that must be whole sectors. */
  static boolean aligned(IoSession session, long offset, long count) {
    boolean badOffset = offset % SECTOR_BYTES != 0;
    if (badOffset || count % SECTOR_BYTES != 0) {
      session
          .io()
          .line(
              "%d is not a sector-aligned value for '%s'"
                  .formatted(badOffset ? offset : count, badOffset ? "offset" : "count"));
      return false;
    }
    return true;
  }

  /** Whether all bytes are the pattern, or there is none; complains otherwise. */
  static boolean verified(
      IoSession session, @Nullable Byte pattern, MemorySegment bytes, long offset) {
    if (pattern == null) {
      return true;
    }
    long length = bytes.byteSize();
    boolean same =
        length == 0
            || (bytes.get(java.lang.foreign.ValueLayout.JAVA_BYTE, 0) == pattern
                && MemorySegment.mismatch(bytes, 0, length - 1, bytes, 1, length) == -1);
    if (!same) {
      session
          .io()
          .line("Pattern verification failed at offset %d, %d bytes".formatted(offset, length));
    }
    return same;
  }

  private static boolean readVectored(IoSession session, Words words) {
    Getopt line = words.options("CP:qrv");
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
      MemorySegment buffer = session.buffer(arena, request.get().bytes(), UNREAD);
      return request.get().read(session, buffer, asked, "readv failed: ").getAsBoolean();
    }
  }
}
