package hawser.fs.fuse;

import static hawser.base.Wire.LE32;
import static hawser.base.Wire.LE64;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import hawser.base.PeerFault;
import hawser.fs.Name;
import java.lang.foreign.MemorySegment;

/** The bytes of a request after its header, read from front to back. */
final class Arguments {
  private final MemorySegment bytes;
  private long at;

  Arguments(MemorySegment bytes) {
    this.bytes = bytes;
  }

  private long take(long count) {
    if (count > left()) {
      throw new PeerFault("FUSE request: %d bytes follow, not %d".formatted(left(), count));
    }
    long here = at;
    at += count;
    return here;
  }

  long left() {
    return bytes.byteSize() - at;
  }

  int u32() {
    return bytes.get(LE32, take(4));
  }

  long u64() {
    return bytes.get(LE64, take(8));
  }

  void skip(long count) {
    take(count);
  }

  /** A string up to its NUL, of at most {@code max} bytes. */
  Name string(int max) {
    long end = at;
    while (end < bytes.byteSize() && bytes.get(JAVA_BYTE, end) != 0) {
      end++;
    }
    if (end == bytes.byteSize()) {
      throw new PeerFault("FUSE request: a name without its NUL");
    }
    if (end - at > max) {
      throw new PeerFault("FUSE request: a name of %d bytes: at most %d".formatted(end - at, max));
    }
    Name name = name(end - at);
    at++;
    return name;
  }

  /** So many bytes. */
  Name name(long count) {
    long here = take(count);
    return new Name(bytes.asSlice(here, count).toArray(JAVA_BYTE));
  }

  /** The next so many bytes by themselves. */
  Arguments part(long count) {
    long here = take(count);
    return new Arguments(bytes.asSlice(here, count));
  }

  /** Goes on at the next multiple of 8 from the beginning, or at the end. */
  void align() {
    at = Math.min(bytes.byteSize(), (at + 7) & -8L);
  }
}
