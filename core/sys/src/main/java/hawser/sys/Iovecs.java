package hawser.sys;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A reusable array of struct iovec for vectored calls. Filled and used by one thread at a time; the
 * pieces must stay alive until the call is over.
 */
public final class Iovecs {
  /** The kernel's limit on pieces per call (IOV_MAX). */
  public static final int COUNT_MAX = 1024;

  private static final int ENTRY_BYTES = 16;

  private final MemorySegment entries;
  private final int capacity;
  private int first;
  private int end;

  /** Room for {@code capacity} pieces, at most {@link #COUNT_MAX}. */
  public Iovecs(Arena arena, int capacity) {
    if (capacity < 1 || capacity > COUNT_MAX) {
      throw new IllegalArgumentException("capacity " + capacity + " is not in 1.." + COUNT_MAX);
    }
    this.capacity = capacity;
    this.entries = arena.allocate((long) capacity * ENTRY_BYTES, 8);
  }

  /** Forgets all pieces. */
  public void clear() {
    first = 0;
    end = 0;
  }

  /** Appends all of a native segment. */
  public void add(MemorySegment piece) {
    add(piece.address(), piece.byteSize());
  }

  /** Appends a piece of native memory by address. */
  public void add(long address, long bytes) {
    if (end == capacity) {
      throw new IndexOutOfBoundsException("iovec holds only " + capacity);
    }
    entries.set(JAVA_LONG, (long) end * ENTRY_BYTES, address);
    entries.set(JAVA_LONG, (long) end * ENTRY_BYTES + 8, bytes);
    end++;
  }

  /** How many pieces there is room for. */
  public int capacity() {
    return capacity;
  }

  /** How many pieces are left. */
  public int count() {
    return end - first;
  }

  /** Whether another piece fits. */
  public boolean full() {
    return end == capacity;
  }

  /** Drops {@code bytes} from the front: what a short call has already moved. */
  public void consume(long bytes) {
    long left = bytes;
    while (left > 0) {
      long at = (long) first * ENTRY_BYTES;
      long length = entries.get(JAVA_LONG, at + 8);
      if (length > left) {
        entries.set(JAVA_LONG, at, entries.get(JAVA_LONG, at) + left);
        entries.set(JAVA_LONG, at + 8, length - left);
        return;
      }
      left -= length;
      first++;
    }
  }

  /** Bytes in all pieces that are left. */
  public long bytes() {
    long sum = 0;
    for (int i = first; i < end; i++) {
      sum += entries.get(JAVA_LONG, (long) i * ENTRY_BYTES + 8);
    }
    return sum;
  }

  /**
   * The first piece that is left, as a segment. Its memory is whatever was added, so the caller of
   * {@link #add(long, long)} answers for it.
   */
  public MemorySegment firstPiece() {
    return piece(0);
  }

  /** As {@link #firstPiece}, of any piece that is left, from 0 to {@link #count} - 1. */
  public MemorySegment piece(int which) {
    if (which < 0 || which >= count()) {
      throw new IndexOutOfBoundsException(which + " of " + count() + " pieces");
    }
    long at = (long) (first + which) * ENTRY_BYTES;
    return MemorySegment.ofAddress(entries.get(JAVA_LONG, at))
        .reinterpret(entries.get(JAVA_LONG, at + 8));
  }

  MemorySegment address() {
    // Nearly always at the beginning, where no new object is needed.
    return first == 0 ? entries : entries.asSlice((long) first * ENTRY_BYTES);
  }
}
