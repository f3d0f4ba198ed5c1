package hawser.fs.state;

import hawser.fs.Name;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;

/**
 * Reads the serialisation called postcard: numbers of seven bits a byte, the lowest first, signed
 * ones folded so that small ones stay small; bytes and lists after their lengths; nothing says what
 * is what.
 */
final class Postcard {
  private static final int NUMBER_BYTES_MAX = 10;

  private final byte[] bytes;
  private int at;

  Postcard(byte[] bytes) {
    this.bytes = bytes;
  }

  long number(String what) throws IOException {
    long value = 0;
    for (int i = 0; i < NUMBER_BYTES_MAX; i++) {
      if (at == bytes.length) {
        throw new IOException("the state ends within " + what);
      }
      byte next = bytes[at++];
      if (i == NUMBER_BYTES_MAX - 1 && next > 1) {
        break;
      }
      value |= (long) (next & 0x7f) << (7 * i);
      if (next >= 0) {
        return value;
      }
    }
    throw new IOException("%s has more than 64 bits".formatted(what));
  }

  /** A signed number of 32 bits. */
  int signed(String what) throws IOException {
    long folded = number(what);
    if (folded >>> Integer.SIZE != 0) {
      throw new IOException("%s has more than 32 bits".formatted(what));
    }
    return (int) ((folded >>> 1) ^ -(folded & 1));
  }

  boolean flag(String what) throws IOException {
    long value = number(what);
    if (value != 0 && value != 1) {
      throw new IOException("%s is %s, not 0 or 1".formatted(what, Long.toUnsignedString(value)));
    }
    return value == 1;
  }

  /** How many things follow; each has a byte at least. */
  long count(String what, int most) throws IOException {
    long count = number(what);
    if (count < 0 || count > Math.min(most, bytes.length - at)) {
      throw new IOException(
          "%s %s in %d bytes, at most %d"
              .formatted(Long.toUnsignedString(count), what, bytes.length - at, most));
    }
    return count;
  }

  Name bytes(String what, int most) throws IOException {
    long length = count("bytes of a " + what, most);
    at += (int) length;
    return new Name(Arrays.copyOfRange(bytes, at - (int) length, at));
  }

  void end() throws IOException {
    if (at != bytes.length) {
      throw new IOException("%d bytes follow the state's end".formatted(bytes.length - at));
    }
  }

  /** Writes the same. */
  static final class Out {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    Out number(long value) {
      long rest = value;
      while ((rest & ~0x7fL) != 0) {
        out.write((int) rest | 0x80);
        rest >>>= 7;
      }
      out.write((int) rest);
      return this;
    }

    Out signed(long value) {
      return number((value << 1) ^ (value >> 63));
    }

    Out flag(boolean value) {
      return number(value ? 1 : 0);
    }

    Out bytes(byte[] value) {
      number(value.length);
      out.writeBytes(value);
      return this;
    }

    byte[] toBytes() {
      return out.toByteArray();
    }
  }
}
