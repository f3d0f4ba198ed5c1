package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.base.Errno;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Guest clusters whose allocation has begun and is not linked yet. Whoever wants to change the same
 * clusters waits. Needs the image's mutex, which waiting gives up.
 */
final class UnderWay {
  /** Guest bytes, whole clusters. */
  static final class Range {
    final long start;
    final long end;

    private Range(long start, long end) {
      this.start = start;
      this.end = end;
    }
  }

  private final List<Range> ranges = new ArrayList<>();
  private final Condition changed;

  UnderWay(ReentrantLock mutex) {
    this.changed = mutex.newCondition();
  }

  /** Where the first range behind or at {@code start} begins, or {@code end}. */
  long freeUntil(long start, long end) {
    long until = end;
    for (Range range : ranges) {
      if (range.start < until && range.end > start) {
        until = Math.max(start, range.start);
      }
    }
    return until;
  }

  /** Waits until nothing in the range is under way. True: it had to wait, so look again. */
  boolean waitFor(long start, long end) throws BlockFault {
    boolean waited = false;
    try {
      while (freeUntil(start, end) < end) {
        waited = true;
        changed.await();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BlockFault(Errno.EINTR, "interrupted while waiting for another write", e);
    }
    return waited;
  }

  Range begin(long start, long end) {
    var range = new Range(start, end);
    ranges.add(range);
    return range;
  }

  void end(Range range) {
    ranges.remove(range);
    changed.signalAll();
  }
}
