package hawser.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Places of a thread's own where names lie, with a NUL at their end, while a call looks at them.
 */
final class PathBuffer {
  /** A path and its NUL (PATH_MAX). */
  private static final int BYTES = 4096;

  private static final ThreadLocal<PathBuffer> MINE = ThreadLocal.withInitial(PathBuffer::new);

  private final MemorySegment first = Arena.ofAuto().allocate(BYTES);
  private final MemorySegment second = Arena.ofAuto().allocate(BYTES);

  private PathBuffer() {}

  /** The calling thread's. */
  static PathBuffer mine() {
    return MINE.get();
  }

  /** The address of a name in the first place. */
  long first(byte[] name) {
    return put(name, first);
  }

  /** The address of a name in the second place. */
  long second(byte[] name) {
    return put(name, second);
  }

  private static long put(byte[] name, MemorySegment place) {
    if (name.length >= BYTES) {
      throw new IllegalArgumentException("a path of %d bytes".formatted(name.length));
    }
    MemorySegment.copy(name, 0, place, JAVA_BYTE, 0, name.length);
    place.set(JAVA_BYTE, name.length, (byte) 0);
    return place.address();
  }
}
