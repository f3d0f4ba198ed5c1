package hawser.testkit.fuse;

import java.nio.ByteBuffer;

/** struct fuse_attr. Times are seconds and nanoseconds. */
public record Attributes(
    long inode,
    long size,
    long blocks,
    long atime,
    long mtime,
    long ctime,
    int atimeNanos,
    int mtimeNanos,
    int ctimeNanos,
    int mode,
    int links,
    int uid,
    int gid,
    int rdev,
    int blockSize,
    int flags) {
  static Attributes read(ByteBuffer in) {
    return new Attributes(
        in.getLong(),
        in.getLong(),
        in.getLong(),
        in.getLong(),
        in.getLong(),
        in.getLong(),
        in.getInt(),
        in.getInt(),
        in.getInt(),
        in.getInt(),
        in.getInt(),
        in.getInt(),
        in.getInt(),
        in.getInt(),
        in.getInt(),
        in.getInt());
  }
}
