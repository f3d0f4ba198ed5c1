package hawser.tools.nbdcopy;

import hawser.block.ZeroBytes;
import java.lang.foreign.MemorySegment;

/** A buffer as runs of zeroes and of data, in steps of a granularity; a few at most. */
final class ZeroRuns {
  private final long[] ends;
  private final boolean[] zero;
  private int count;

  /** Looks at {@code data} in steps of {@code step} bytes; 0 takes it all for data. */
  ZeroRuns(MemorySegment data, int step, int most) {
    ends = new long[most];
    zero = new boolean[most];
    long bytes = data.byteSize();
    if (step == 0) {
      add(bytes, false);
      return;
    }
    for (long at = 0; at < bytes; at += step) {
      long end = Math.min(bytes, at + step);
      // The last run takes what is left, as data.
      boolean last = count == most && !zero[count - 1];
      if (last) {
        ends[count - 1] = bytes;
        return;
      }
      add(end, count < most - 1 && ZeroBytes.only(data, at, end));
    }
  }

  private void add(long end, boolean isZero) {
    if (count == 0 || zero[count - 1] != isZero) {
      zero[count++] = isZero;
    }
    ends[count - 1] = end;
  }

  int count() {
    return count;
  }

  long start(int run) {
    return run == 0 ? 0 : ends[run - 1];
  }

  long end(int run) {
    return ends[run];
  }

  boolean zero(int run) {
    return zero[run];
  }
}
