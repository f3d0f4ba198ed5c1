package hawser.block.convert;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Tells whether memory is all zero, as fast as memory is compared. */
final class Zeroes {
  private static final int STEP = 4096;
  private static final MemorySegment ZEROES = Arena.global().allocate(STEP, STEP);

  private Zeroes() {}

  /** Whether every byte from {@code start} up to {@code end} is zero. */
  static boolean only(MemorySegment data, long start, long end) {
    for (long at = start; at < end; at += STEP) {
      long length = Math.min(STEP, end - at);
      if (MemorySegment.mismatch(data, at, at + length, ZEROES, 0, length) >= 0) {
        return false;
      }
    }
    return true;
  }
}
