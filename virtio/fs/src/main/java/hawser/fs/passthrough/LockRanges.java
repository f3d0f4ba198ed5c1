package hawser.fs.passthrough;

import java.util.ArrayList;
import java.util.List;

/**
 * The byte ranges that one process of the guest's has locked in one file, as the host's kernel has
 * them: it tells nobody, and whoever takes over a guest must lock them again. Not safe for threads.
 */
final class LockRanges {
  /** One range, {@code end} included. */
  record Range(long start, long end, boolean exclusive) {}

  private List<Range> ranges = new ArrayList<>(1);

  /** A range is locked from now on, whatever it was before. */
  void lock(long start, long end, boolean exclusive) {
    unlock(start, end);
    ranges.add(new Range(start, end, exclusive));
  }

  /** A range is free from now on: what was locked around it stays so. */
  void unlock(long start, long end) {
    var left = new ArrayList<Range>(ranges.size() + 1);
    for (Range range : ranges) {
      if (range.end() < start || range.start() > end) {
        left.add(range);
        continue;
      }
      if (range.start() < start) {
        left.add(new Range(range.start(), start - 1, range.exclusive()));
      }
      if (range.end() > end) {
        left.add(new Range(end + 1, range.end(), range.exclusive()));
      }
    }
    ranges = left;
  }

  List<Range> ranges() {
    return List.copyOf(ranges);
  }

  boolean isEmpty() {
    return ranges.isEmpty();
  }
}
