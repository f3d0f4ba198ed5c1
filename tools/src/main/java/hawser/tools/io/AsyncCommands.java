package hawser.tools.io;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.tools.Getopt;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** {@code aio_read}, {@code aio_write} and {@code aio_flush}. */
final class AsyncCommands {
  private AsyncCommands() {}

  static List<IoCommand> all() {
    return List.of(
        IoCommand.of(
                "aio_read",
                "[-Ciqrv] [-P pattern] off len [len..]",
                "asynchronously reads a number of bytes",
                2,
                -1,
                AsyncCommands::read)
            .helping("\nAs readv, without waiting; aio_flush waits and reports.\n"),
        IoCommand.of(
                "aio_write",
                "[-Cfiqruz] [-P pattern] off len [len..]",
                "asynchronously writes a number of bytes",
                2,
                -1,
                AsyncCommands::write)
            .helping("\nAs writev, without waiting; aio_flush waits and reports.\n"),
        IoCommand.of(
            "aio_flush",
            null,
            "completes all outstanding aio requests",
            0,
            0,
            (session, words) -> {
              session.flights().land();
              return true;
            }));
  }

  private static boolean read(IoSession session, Words words) {
    Getopt line = words.options("CiP:qrv");
    var asked = new ReadCommands.Asked();
    while (line.next()) {
      switch (line.key()) {
        case "i" -> {
          session.io().line("injecting invalid read request");
          return true;
        }
        case "C" -> asked.machine = true;
        case "q" -> asked.quiet = true;
        case "r" -> {}
        case "v" -> asked.dump = true;
        case "P" -> {
          Optional<Byte> pattern = words.pattern(line.value());
          if (pattern.isEmpty()) {
            return false;
          }
          asked.pattern = pattern.get();
        }
        default -> throw line.unhandled();
      }
    }
    Optional<VectorRequest> request = VectorRequest.of(line.operands(), words);
    if (request.isEmpty()) {
      return false;
    }
    start(
        session,
        request.get().bytes(),
        ReadCommands.UNREAD,
        buffer -> request.get().read(session, buffer, asked, "readv failed: "));
    return true;
  }

  private static boolean write(IoSession session, Words words) throws BlockFault {
    session.checkWritable();
    Getopt line = words.options("CfiP:qruz");
    var asked = new WriteCommands.Asked();
    while (line.next()) {
      if (line.key().equals("i")) {
        session.io().line("injecting invalid write request");
        return true;
      }
      if (!WriteCommands.option(line, words, asked)) {
        return false;
      }
    }
    List<String> operands = line.operands();
    if (operands.size() < 2) {
      return words.usage();
    }
    String contradiction = contradiction(asked, operands.size());
    if (contradiction != null) {
      session.io().line(contradiction);
      return false;
    }
    if (asked.zero) {
      return zero(session, words, asked, operands);
    }
    Optional<VectorRequest> request = VectorRequest.of(operands, words);
    if (request.isEmpty()) {
      return false;
    }
    start(
        session,
        request.get().bytes(),
        asked.fill(),
        buffer ->
            request
                .get()
                .write(session, buffer, asked.flags, asked.report(), "aio_write failed: "));
    return true;
  }

  private static @Nullable String contradiction(WriteCommands.Asked asked, int operands) {
    if (asked.zero && operands != 2) {
      return "-z supports only a single length parameter";
    }
    if (asked.has(BlockNode.MAY_UNMAP) && !asked.zero) {
      return "-u requires -z to be specified";
    }
    if (asked.zero && asked.pattern != null) {
      return "-z and -P cannot be specified at the same time";
    }
    if (asked.zero && asked.registered) {
      return "cannot combine zero write with registered I/O buffer";
    }
    return null;
  }

  private static boolean zero(
      IoSession session, Words words, WriteCommands.Asked asked, List<String> operands) {
    OptionalLong offset = words.number(operands.get(0));
    OptionalLong count = offset.isPresent() ? words.number(operands.get(1)) : offset;
    if (count.isEmpty()) {
      return false;
    }
    long at = offset.getAsLong();
    long bytes = count.getAsLong();
    start(
        session,
        0,
        (byte) 0,
        buffer -> {
          long start = System.nanoTime();
          try {
            session.check(at, bytes);
            session.node().writeZeroes(at, bytes, session.writeFlags(asked.flags));
          } catch (BlockFault e) {
            return VectorRequest.failure(session, "aio_write failed: ", e);
          }
          long nanos = System.nanoTime() - start;
          return () -> {
            asked.report().print(session.io(), "wrote", nanos, at, bytes);
            return true;
          };
        });
    return true;
  }

  /** Something to do with a buffer; answers with its report. */
  @FunctionalInterface
  private interface Request {
    BooleanSupplier send(MemorySegment buffer);
  }

  private static void start(IoSession session, long bytes, byte pattern, Request request) {
    session
        .flights()
        .start(
            () -> {
              MemorySegment buffer = session.buffer(Arena.ofAuto(), bytes, pattern);
              BooleanSupplier report = request.send(buffer);
              return () -> {
                // A failure was printed; by qemu-io's rule the command itself has succeeded.
                var _ = report.getAsBoolean();
              };
            });
  }
}
