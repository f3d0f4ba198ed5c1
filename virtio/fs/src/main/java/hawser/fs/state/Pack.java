package hawser.fs.state;

import hawser.fs.Name;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Items of a section on their way out: little-endian numbers, and names after their lengths. */
final class Pack {
  private ByteBuffer bytes =
      ByteBuffer.allocate(2 * HawserForm.SECTION_BYTES_USUAL).order(ByteOrder.LITTLE_ENDIAN);

  private ByteBuffer room(int count) {
    if (bytes.remaining() < count) {
      int capacity = Math.max(2 * bytes.capacity(), bytes.position() + count);
      int used = bytes.position();
      bytes =
          ByteBuffer.wrap(Arrays.copyOf(bytes.array(), capacity)).order(ByteOrder.LITTLE_ENDIAN);
      bytes.position(used);
    }
    return bytes;
  }

  void u8(int value) {
    room(1).put((byte) value);
  }

  void u32(int value) {
    room(4).putInt(value);
  }

  void u64(long value) {
    room(8).putLong(value);
  }

  /** A number that is mostly small: seven bits a byte, the lowest first. */
  void compact(long value) {
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      u8((int) rest | 0x80);
      rest >>>= 7;
    }
    u8((int) rest);
  }

  void name(Name name) {
    compact(name.length());
    room(name.length()).put(name.bytes());
  }

  int size() {
    return bytes.position();
  }

  /** What has been packed; begins anew. */
  ByteBuffer take() {
    ByteBuffer packed = bytes.duplicate().flip();
    bytes = ByteBuffer.allocate(2 * HawserForm.SECTION_BYTES_USUAL).order(ByteOrder.LITTLE_ENDIAN);
    return packed;
  }
}
