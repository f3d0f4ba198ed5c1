package hawser.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A reusable struct msghdr: pieces of memory and, on unix sockets, descriptors that travel with the
 * first byte. Used by one thread at a time.
 */
public final class MessageHeader {
  private static final int CONTROL_HEADER = 16;
  private static final int SCM_RIGHTS = 1;

  private final MemorySegment header;
  private final MemorySegment control;
  private final Iovecs pieces;

  /** Room for so many pieces and so many descriptors. */
  public MessageHeader(Arena arena, int pieces, int descriptors) {
    if (descriptors < 0 || descriptors > SocketCalls.DESCRIPTORS_MAX) {
      throw new IllegalArgumentException(
          "descriptors %d is not in 0..%d".formatted(descriptors, SocketCalls.DESCRIPTORS_MAX));
    }
    this.header = arena.allocate(56, 8);
    long room = descriptors == 0 ? 0 : CONTROL_HEADER + ((4L * descriptors + 7) & -8);
    this.control = room == 0 ? MemorySegment.NULL : arena.allocate(room, 8);
    this.pieces = new Iovecs(arena, pieces);
  }

  /** The pieces to send or to fill. */
  public Iovecs pieces() {
    return pieces;
  }

  /** Sends these descriptors with the next message; none when the array is empty. */
  public void attach(int... descriptors) {
    if (descriptors.length == 0) {
      header.set(JAVA_LONG, 40, 0);
      return;
    }
    long length = CONTROL_HEADER + 4L * descriptors.length;
    control.set(JAVA_LONG, 0, length);
    control.set(JAVA_INT, 8, SocketCalls.SOL_SOCKET);
    control.set(JAVA_INT, 12, SCM_RIGHTS);
    for (int i = 0; i < descriptors.length; i++) {
      control.set(JAVA_INT, CONTROL_HEADER + 4L * i, descriptors[i]);
    }
    header.set(JAVA_LONG, 40, control.byteSize());
  }

  /** Makes all room for descriptors available to the next receive. */
  public void expectDescriptors() {
    header.set(JAVA_LONG, 40, control.byteSize());
  }

  /** The descriptors that the last receive brought; the caller owns them. */
  public int[] received() {
    long length = header.get(JAVA_LONG, 40);
    if (length < CONTROL_HEADER || control.get(JAVA_INT, 12) != SCM_RIGHTS) {
      return new int[0];
    }
    int count = (int) ((control.get(JAVA_LONG, 0) - CONTROL_HEADER) / 4);
    var descriptors = new int[count];
    for (int i = 0; i < count; i++) {
      descriptors[i] = control.get(JAVA_INT, CONTROL_HEADER + 4L * i);
    }
    return descriptors;
  }

  MemorySegment raw() {
    // struct msghdr: name 0, namelen 8, iov 16, iovlen 24, control 32, controllen 40, flags 48
    header.set(JAVA_LONG, 16, pieces.address().address());
    header.set(JAVA_LONG, 24, pieces.count());
    header.set(JAVA_LONG, 32, control.address());
    return header;
  }
}
