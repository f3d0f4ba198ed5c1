package hawser.block.convert;

import hawser.base.BlockFault;
import hawser.base.Ranges;
import hawser.block.BlockNode;
import hawser.block.Extent;
import hawser.block.ZeroBytes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Compares two disks as their users see them. What both sides know to be zero is never read; the
 * rest is read in large requests by several threads. The shorter disk counts as followed by zeroes.
 */
public final class Comparison {
  /** Bytes per request; larger ones gain nothing and cost memory. */
  private static final int REQUEST_BYTES = 2 << 20;

  /** A difference is told by the sector it lies in, as qemu-img does. */
  private static final int SECTOR = 512;

  private final BlockNode[] sides;
  private final long[] lengths;
  private final boolean strict;
  private final Watcher watcher;
  private final Extent[] known = new Extent[2];
  private long next;
  private long done;
  private long firstProblem = Long.MAX_VALUE;
  private @Nullable Result result;

  private Comparison(BlockNode one, BlockNode two, boolean strict, Watcher watcher)
      throws BlockFault {
    this.sides = new BlockNode[] {one, two};
    this.lengths = new long[] {one.length(), two.length()};
    this.strict = strict;
    this.watcher = watcher;
  }

  /** What a comparison found first, by offset. */
  public sealed interface Result {
    /** Nothing; the lengths may still differ by zeroes. */
    record Same(boolean lengthsDiffer) implements Result {}

    /** Other bytes; {@code pastTheShorter} says whether only the longer disk has that offset. */
    record Content(long offset, boolean pastTheShorter) implements Result {}

    /** Strict only: the lengths differ. */
    record Length() implements Result {}

    /** Strict only: other allocation. */
    record Allocation(long offset) implements Result {}

    /** One side (0 or 1) could not be read; {@code pastTheShorter} as in {@link Content}. */
    record Unreadable(int side, long offset, boolean pastTheShorter, BlockFault fault)
        implements Result {}

    /** One side's allocation could not be told. */
    record Unknown(int side, BlockFault fault) implements Result {}

    /** The caller's {@link Watcher} stopped it. */
    record Cancelled() implements Result {}
  }

  /**
   * Compares two disks with up to {@code threads} threads.
   *
   * @param strict whether lengths and allocation must agree too
   */
  public static Result run(
      BlockNode one, BlockNode two, boolean strict, int threads, Watcher watcher)
      throws BlockFault {
    var comparison = new Comparison(one, two, strict, watcher);
    if (strict && comparison.lengths[0] != comparison.lengths[1]) {
      return new Result.Length();
    }
    Workers.run("compare", threads, comparison::work);
    Result found = comparison.result;
    return found != null ? found : new Result.Same(comparison.lengths[0] != comparison.lengths[1]);
  }

  /** A range to be read; a side that is known to be zero is not. */
  private record Piece(long offset, int length, boolean readOne, boolean readTwo) {}

  private void work() throws BlockFault {
    try (var arena = Arena.ofConfined()) {
      MemorySegment one = arena.allocate(REQUEST_BYTES, 4096);
      MemorySegment two = arena.allocate(REQUEST_BYTES, 4096);
      for (Piece piece = take(); piece != null; piece = take()) {
        compare(piece, one.asSlice(0, piece.length), two.asSlice(0, piece.length));
      }
    } catch (RuntimeException | Error e) {
      problem(-1, new Result.Cancelled());
      throw e;
    }
  }

  /** The next range that needs reading, in order of offset; null when there is none. */
  private synchronized @Nullable Piece take() {
    long end = Math.max(lengths[0], lengths[1]);
    while (result == null && next < end) {
      if (watcher.cancelled()) {
        problem(next, new Result.Cancelled());
        return null;
      }
      Extent one = extent(0, next);
      Extent two = extent(1, next);
      if (one == null || two == null) {
        return null;
      }
      if (strict && !sameAllocation(one, two)) {
        problem(next, new Result.Allocation(next));
        return null;
      }
      long length = Math.min(one.end(), two.end()) - next;
      boolean readOne = !one.kind().zero();
      boolean readTwo = !two.kind().zero();
      long offset = next;
      if (readOne || readTwo) {
        length = Math.min(length, REQUEST_BYTES);
        next += length;
        return new Piece(offset, (int) length, readOne, readTwo);
      }
      next += length;
      done += length;
      watcher.progress(done, end);
    }
    return null;
  }

  /** What is known at an offset; beyond a disk's end there are zeroes. Null after a fault. */
  private @Nullable Extent extent(int side, long offset) {
    Extent extent = known[side];
    if (extent != null && extent.offset() <= offset && offset < extent.end()) {
      return extent;
    }
    if (offset >= lengths[side]) {
      return Extent.of(offset, Long.MAX_VALUE - offset, Extent.Kind.UNALLOCATED);
    }
    try {
      known[side] = sides[side].extent(offset, lengths[side] - offset);
      return known[side];
    } catch (BlockFault fault) {
      problem(offset, new Result.Unknown(side, fault));
      return null;
    }
  }

  private static boolean sameAllocation(Extent one, Extent two) {
    return one.kind() == two.kind()
        && (one.hostOffset() == Extent.NOWHERE) == (two.hostOffset() == Extent.NOWHERE);
  }

  private void compare(Piece piece, MemorySegment one, MemorySegment two) {
    if ((piece.readOne && !read(0, one, piece.offset))
        || (piece.readTwo && !read(1, two, piece.offset))) {
      return;
    }
    long at =
        piece.readOne && piece.readTwo
            ? one.mismatch(two)
            : otherThanZero(piece.readOne ? one : two);
    if (at >= 0) {
      long offset = Ranges.alignDown(piece.offset + at, SECTOR);
      problem(offset, new Result.Content(offset, pastTheShorter(offset)));
      return;
    }
    synchronized (this) {
      done += piece.length;
      watcher.progress(done, Math.max(lengths[0], lengths[1]));
    }
  }

  private boolean pastTheShorter(long offset) {
    return offset >= Math.min(lengths[0], lengths[1]);
  }

  private static long otherThanZero(MemorySegment buffer) {
    long at = ZeroBytes.firstOther(buffer, 0, buffer.byteSize());
    return at == buffer.byteSize() ? -1 : at;
  }

  private boolean read(int side, MemorySegment into, long offset) {
    try {
      sides[side].read(into, offset);
      return true;
    } catch (BlockFault fault) {
      problem(offset, new Result.Unreadable(side, offset, pastTheShorter(offset), fault));
      return false;
    }
  }

  /** Keeps the problem with the smallest offset: earlier ranges may still be on their way. */
  private synchronized void problem(long offset, Result found) {
    if (offset < firstProblem) {
      firstProblem = offset;
      result = found;
    }
  }
}
