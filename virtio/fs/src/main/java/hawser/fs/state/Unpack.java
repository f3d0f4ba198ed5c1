package hawser.fs.state;

import hawser.fs.Name;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Items of a section on their way in. What does not fit is a damaged state. */
final class Unpack {
  private static final int COMPACT_BITS_MAX = 63;

  /** Nearly every inode has a name of no bytes: its file handle. */
  private static final Name NONE = new Name(new byte[0]);

  private final ByteBuffer bytes;
  private final SectionType type;

  Unpack(SectionType type, ByteBuffer bytes) {
    this.type = type;
    this.bytes = bytes;
  }

  private ByteBuffer has(long count) throws IOException {
    if (count > bytes.remaining()) {
      throw new IOException(
          "section %s: %d bytes are left, not %d".formatted(type, bytes.remaining(), count));
    }
    return bytes;
  }

  boolean more() {
    return bytes.hasRemaining();
  }

  int u8() throws IOException {
    return Byte.toUnsignedInt(has(1).get());
  }

  int u32() throws IOException {
    return has(4).getInt();
  }

  long u64() throws IOException {
    return has(8).getLong();
  }

  long compact() throws IOException {
    long value = 0;
    for (int shift = 0; shift <= COMPACT_BITS_MAX; shift += 7) {
      int next = u8();
      if (shift == COMPACT_BITS_MAX && next > 1) {
        break;
      }
      value |= (long) (next & 0x7f) << shift;
      if ((next & 0x80) == 0) {
        return value;
      }
    }
    throw new IOException("section %s: a number of more than 64 bits".formatted(type));
  }

  Name name(int most) throws IOException {
    long length = compact();
    if (length < 0 || length > most) {
      throw new IOException(
          "section %s: a name of %d bytes, at most %d".formatted(type, length, most));
    }
    if (length == 0) {
      return NONE;
    }
    byte[] name = new byte[(int) length];
    has(length).get(name);
    return new Name(name);
  }

  ByteBuffer rest() {
    return bytes.slice();
  }

  void skipRest() {
    bytes.position(bytes.limit());
  }

  boolean flag() throws IOException {
    int value = u8();
    if (value > 1) {
      throw new IOException("section %s: a flag is %d, not 0 or 1".formatted(type, value));
    }
    return value == 1;
  }
}
