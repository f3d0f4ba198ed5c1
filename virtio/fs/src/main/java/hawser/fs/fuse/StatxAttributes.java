package hawser.fs.fuse;

import static hawser.base.Wire.LE16;
import static hawser.base.Wire.LE32;
import static hawser.base.Wire.LE64;

import java.lang.foreign.MemorySegment;

/**
 * What STATX adds to {@link Attributes} (struct fuse_statx).
 *
 * @param mask which fields are filled
 * @param attributes the file's, as statx(2) has them
 * @param attributesMask which of these mean something
 * @param birth when the file was made
 */
public record StatxAttributes(
    int mask,
    Attributes basic,
    long attributes,
    long attributesMask,
    Time birth,
    long deviceOfFile) {
  /** Bytes of the structure. */
  public static final int BYTES = 256;

  /** Writes the structure. */
  public void write(MemorySegment out, long at) {
    out.asSlice(at, BYTES).fill((byte) 0);
    out.set(LE32, at, mask);
    out.set(LE32, at + 4, basic.blockSize());
    out.set(LE64, at + 8, attributes);
    out.set(LE32, at + 16, basic.links());
    out.set(LE32, at + 20, basic.uid());
    out.set(LE32, at + 24, basic.gid());
    out.set(LE16, at + 28, (short) basic.mode());
    out.set(LE64, at + 32, basic.inode());
    out.set(LE64, at + 40, basic.size());
    out.set(LE64, at + 48, basic.blocks());
    out.set(LE64, at + 56, attributesMask);
    time(out, at + 64, basic.atime());
    time(out, at + 80, birth);
    time(out, at + 96, basic.ctime());
    time(out, at + 112, basic.mtime());
    out.set(LE32, at + 128, major(basic.device()));
    out.set(LE32, at + 132, minor(basic.device()));
    out.set(LE32, at + 136, (int) (deviceOfFile >>> 32));
    out.set(LE32, at + 140, (int) deviceOfFile);
  }

  private static void time(MemorySegment out, long at, Time time) {
    out.set(LE64, at, time.seconds());
    out.set(LE32, at + 8, time.nanos());
  }

  /** The kernel's 32-bit form of a device number (new_encode_dev). */
  private static int major(int device) {
    return (device >>> 8) & 0xfff;
  }

  private static int minor(int device) {
    return (device & 0xff) | (device >>> 12 & 0xfff00);
  }
}
