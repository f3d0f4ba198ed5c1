package hawser.nbd.server;

import hawser.nbd.NbdLimits;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Memory for the data of one request, page-aligned, with room for a reply's header directly in
 * front of it, so that a reply is one piece.
 */
final class Buffer {
  /** One page, so that the data behind it is aligned for O_DIRECT. */
  static final int ROOM = 4096;

  static final int SMALLEST = 4096;
  static final int CLASSES =
      1 + Integer.numberOfTrailingZeros(NbdLimits.PAYLOAD_BYTES_MAX / SMALLEST);

  private final Arena arena = Arena.ofShared();
  private final int sizeClass;
  private final MemorySegment whole;
  private MemorySegment view;

  Buffer(int sizeClass) {
    this.sizeClass = sizeClass;
    this.whole = arena.allocate(ROOM + (long) capacity(sizeClass), ROOM);
    this.view = whole.asSlice(ROOM);
  }

  /** The smallest class that holds so many bytes, at most {@link NbdLimits#PAYLOAD_BYTES_MAX}. */
  static int classFor(int bytes) {
    int units = Math.max(1, (bytes + SMALLEST - 1) / SMALLEST);
    return 32 - Integer.numberOfLeadingZeros(units - 1);
  }

  /** Bytes of data a class holds. */
  static int capacity(int sizeClass) {
    return SMALLEST << sizeClass;
  }

  int sizeClass() {
    return sizeClass;
  }

  /** Room and data; data starts at {@link #ROOM}. */
  MemorySegment whole() {
    return whole;
  }

  /** The first {@code length} bytes of data. */
  MemorySegment data(long length) {
    if (view.byteSize() != length) {
      view = whole.asSlice(ROOM, length);
    }
    return view;
  }

  void free() {
    arena.close();
  }
}
