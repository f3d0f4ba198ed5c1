package hawser.nbd.server;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Views of one segment that are made once and found again. A steady load asks for the same offsets
 * over and over, so that the data path makes no objects. Used by one thread at a time.
 */
final class Slices {
  /** 2^8, for the home of a view is eight bits of a product. */
  private static final int KEPT = 256;

  /**
   * How far from its home a view may lie: a batch has at most some 70 views, and none displaces
   * another.
   */
  private static final int PROBES = 16;

  private final MemorySegment whole;
  private final long base;
  private final @Nullable MemorySegment[] kept = new MemorySegment[KEPT];

  Slices(MemorySegment whole) {
    this.whole = whole;
    this.base = whole.address();
  }

  MemorySegment whole() {
    return whole;
  }

  /** The bytes from {@code offset}, in the segment's own space. */
  MemorySegment at(long offset, long length) {
    int home = (int) (((offset * 31 + length) * 0x9E3779B97F4A7C15L) >>> 56);
    int place = home;
    for (int probe = 0; probe < PROBES; probe++) {
      int slot = (home + probe) & (KEPT - 1);
      MemorySegment hit = kept[slot];
      if (hit == null) {
        place = slot;
        break;
      }
      if (hit.address() == base + offset && hit.byteSize() == length) {
        return hit;
      }
    }
    MemorySegment made = whole.asSlice(offset, length);
    kept[place] = made;
    return made;
  }
}
