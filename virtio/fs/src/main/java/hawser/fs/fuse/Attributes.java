package hawser.fs.fuse;

import static hawser.base.Wire.LE32;
import static hawser.base.Wire.LE64;

import java.lang.foreign.MemorySegment;

/**
 * What GETATTR and LOOKUP say of an inode (struct fuse_attr).
 *
 * @param inode the number that a guest's program sees
 * @param size bytes
 * @param blocks units of 512 bytes that are allocated
 * @param mode type and permissions
 * @param links how many names it has
 * @param device for a device node, as the kernel packs it into 32 bits
 * @param blockSize preferred bytes of a request
 * @param flags {@link #SUBMOUNT}
 */
public record Attributes(
    long inode,
    long size,
    long blocks,
    Time atime,
    Time mtime,
    Time ctime,
    int mode,
    int links,
    int uid,
    int gid,
    int device,
    int blockSize,
    int flags) {
  /** Bytes of the structure. */
  public static final int BYTES = 88;

  /** Another file system begins here. */
  public static final int SUBMOUNT = 1;

  /** Writes the structure. */
  public void write(MemorySegment out, long at) {
    out.set(LE64, at, inode);
    out.set(LE64, at + 8, size);
    out.set(LE64, at + 16, blocks);
    out.set(LE64, at + 24, atime.seconds());
    out.set(LE64, at + 32, mtime.seconds());
    out.set(LE64, at + 40, ctime.seconds());
    out.set(LE32, at + 48, atime.nanos());
    out.set(LE32, at + 52, mtime.nanos());
    out.set(LE32, at + 56, ctime.nanos());
    out.set(LE32, at + 60, mode);
    out.set(LE32, at + 64, links);
    out.set(LE32, at + 68, uid);
    out.set(LE32, at + 72, gid);
    out.set(LE32, at + 76, device);
    out.set(LE32, at + 80, blockSize);
    out.set(LE32, at + 84, flags);
  }
}
