package hawser.block.convert;

import hawser.base.Ranges;
import hawser.block.ZeroBytes;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The stretches of data and of zeroes of one chunk, in turns. Filled again for each chunk; belongs
 * to one worker.
 */
final class Runs {
  private static final int SECTOR = 512;

  private final long unit;
  private long[] ends = new long[16];
  private int count;
  private boolean firstZero;

  /**
   * @param unit zeroes are told by pieces of so many bytes, which lie at multiples of themselves on
   *     the disk
   */
  Runs(long unit) {
    this.unit = unit;
  }

  /** A chunk that is one run. */
  void one(long length, boolean zero) {
    count = 0;
    firstZero = zero;
    add(length);
  }

  /** Finds the runs of a chunk that lies at {@code offset} of the disk. */
  void find(MemorySegment data, long offset) {
    count = 0;
    long length = data.byteSize();
    long end = unitEnd(length, offset, 0);
    boolean zero = ZeroBytes.only(data, 0, end);
    firstZero = zero;
    while (end < length) {
      long next = unitEnd(length, offset, end);
      if (ZeroBytes.only(data, end, next) != zero) {
        add(end);
        zero = !zero;
      }
      end = next;
    }
    add(length);
  }

  /** How many there are. */
  int count() {
    return count;
  }

  /** Where run {@code i} ends in the chunk, and the next begins. */
  long end(int i) {
    return ends[i];
  }

  /** Whether run {@code i} is zeroes. */
  boolean zero(int i) {
    return firstZero == (i % 2 == 0);
  }

  private void add(long end) {
    if (count == ends.length) {
      ends = Arrays.copyOf(ends, 2 * count);
    }
    ends[count++] = end;
  }

  private long unitEnd(long length, long offset, long start) {
    long end = Ranges.alignDown(offset + start, Long.highestOneBit(unit)) + unit - offset;
    return Math.min(length, Math.max(end, start + SECTOR));
  }
}
