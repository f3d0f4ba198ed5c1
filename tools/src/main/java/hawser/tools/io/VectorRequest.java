package hawser.tools.io;

import hawser.base.BlockFault;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;

/**
 * A request in pieces.
 *
 * @param offset where it starts
 * @param lengths bytes of each piece
 */
@SuppressWarnings("ArrayRecordComponent")
record VectorRequest(long offset, long[] lengths) {

  /** Reads {@code OFFSET LENGTH...}; empty after a complaint. */
  static Optional<VectorRequest> of(List<String> operands, Words words) {
    if (operands.size() < 2) {
      words.usage();
      return Optional.empty();
    }
    OptionalLong offset = words.number(operands.getFirst());
    if (offset.isEmpty()) {
      return Optional.empty();
    }
    return words
        .lengths(operands.subList(1, operands.size()))
        .map(lengths -> new VectorRequest(offset.getAsLong(), lengths));
  }

  /** Bytes of all pieces. */
  long bytes() {
    return Arrays.stream(lengths).sum();
  }

  private MemorySegment[] pieces(MemorySegment buffer) {
    var pieces = new MemorySegment[lengths.length];
    long at = 0;
    for (int i = 0; i < pieces.length; i++) {
      pieces[i] = buffer.asSlice(at, lengths[i]);
      at += lengths[i];
    }
    return pieces;
  }

  /** Reads; answers with what reports the outcome and says whether it is good. */
  BooleanSupplier read(
      IoSession session, MemorySegment buffer, ReadCommands.Asked asked, String failed) {
    long start = System.nanoTime();
    try {
      session.check(offset, bytes());
      session.node().read(pieces(buffer), offset);
    } catch (BlockFault e) {
      return failure(session, failed, e);
    }
    long nanos = System.nanoTime() - start;
    return () -> {
      boolean same = ReadCommands.verified(session, asked.pattern, buffer, offset);
      if (asked.dump && !asked.quiet) {
        Report.dump(session.io(), buffer, offset);
      }
      asked.report().print(session.io(), "read", nanos, offset, bytes());
      return same;
    };
  }

  /** Writes; answers as {@link #read}. */
  BooleanSupplier write(
      IoSession session, MemorySegment buffer, int flags, Report report, String failed) {
    long start = System.nanoTime();
    try {
      session.check(offset, bytes());
      session.node().write(pieces(buffer), offset, session.writeFlags(flags));
    } catch (BlockFault e) {
      return failure(session, failed, e);
    }
    long nanos = System.nanoTime() - start;
    return () -> {
      report.print(session.io(), "wrote", nanos, offset, bytes());
      return true;
    };
  }

  static BooleanSupplier failure(IoSession session, String failed, BlockFault fault) {
    return () -> {
      session.io().line(failed + fault.errno().text());
      return false;
    };
  }
}
