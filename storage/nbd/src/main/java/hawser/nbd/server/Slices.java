package hawser.nbd.server;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Views of one segment that are made once and found again. A steady load asks for the same offsets
 * over and over, so that the data path makes no objects. Used by one thread at a time.
 */
final class Slices {
  private static final int KEPT = 256;

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
    int slot = (int) (((offset >>> 2) * 0x9E3779B1L + length) >>> 7) & (KEPT - 1);
    MemorySegment hit = kept[slot];
    if (hit != null && hit.address() == base + offset && hit.byteSize() == length) {
      return hit;
    }
    MemorySegment made = whole.asSlice(offset, length);
    kept[slot] = made;
    return made;
  }
}
