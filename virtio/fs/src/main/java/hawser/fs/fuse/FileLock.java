package hawser.fs.fuse;

/**
 * A byte-range lock (struct fuse_file_lock).
 *
 * @param start its first byte
 * @param end its last byte; {@link Long#MAX_VALUE} for all that follow
 * @param type {@link #READ}, {@link #WRITE} or {@link #UNLOCK}
 * @param pid the guest's process that holds it
 */
public record FileLock(long start, long end, int type, int pid) {
  /** Shared (F_RDLCK). */
  public static final int READ = 0;

  /** Exclusive (F_WRLCK). */
  public static final int WRITE = 1;

  /** None (F_UNLCK). */
  public static final int UNLOCK = 2;
}
