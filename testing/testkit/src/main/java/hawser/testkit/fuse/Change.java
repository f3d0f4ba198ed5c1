package hawser.testkit.fuse;

/**
 * What SETATTR changes.
 *
 * @param valid which fields count (FATTR_)
 */
public record Change(
    int valid,
    long handle,
    long size,
    long atime,
    int atimeNanos,
    long mtime,
    int mtimeNanos,
    int mode,
    int uid,
    int gid) {
  private static final int MODE = 1;
  private static final int UID = 1 << 1;
  private static final int GID = 1 << 2;
  private static final int SIZE = 1 << 3;
  private static final int ATIME = 1 << 4;
  private static final int MTIME = 1 << 5;
  private static final int HANDLE = 1 << 6;

  /** Permissions. */
  public static Change mode(int mode) {
    return new Change(MODE, 0, 0, 0, 0, 0, 0, mode, 0, 0);
  }

  /** Owner and group. */
  public static Change owner(int uid, int gid) {
    return new Change(UID | GID, 0, 0, 0, 0, 0, 0, 0, uid, gid);
  }

  /** Length, of a file that is not open. */
  public static Change size(long bytes) {
    return new Change(SIZE, 0, bytes, 0, 0, 0, 0, 0, 0, 0);
  }

  /** Length, of an open file. */
  public static Change size(long handle, long bytes) {
    return new Change(SIZE | HANDLE, handle, bytes, 0, 0, 0, 0, 0, 0, 0);
  }

  /** Both times. */
  public static Change times(long atime, int atimeNanos, long mtime, int mtimeNanos) {
    return new Change(ATIME | MTIME, 0, 0, atime, atimeNanos, mtime, mtimeNanos, 0, 0, 0);
  }
}
