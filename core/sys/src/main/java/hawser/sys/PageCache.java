package hawser.sys;

/**
 * Advice about a file's pages in memory. A call answers 0 or a negated error number; none of them
 * changes what the file holds or promises that it is durable. Safe from any thread.
 */
public final class PageCache {
  private static final int WAIT_BEFORE = 1;
  private static final int WRITE = 2;
  private static final int WAIT_AFTER = 4;
  private static final int DONTNEED = 4;

  private static final NumberCall SYNC_FILE_RANGE = NumberCall.ofInt("sync_file_range");
  private static final NumberCall FADVISE = NumberCall.ofInt("posix_fadvise64");

  private PageCache() {}

  /** Lets changed pages of a range begin to be written. */
  public static long beginWriting(int fd, long offset, long bytes) {
    return sync(fd, offset, bytes, WRITE);
  }

  /** Writes the changed pages of a range and waits for it. */
  public static long awaitWritten(int fd, long offset, long bytes) {
    return sync(fd, offset, bytes, WAIT_BEFORE | WRITE | WAIT_AFTER);
  }

  private static long sync(int fd, long offset, long bytes, int how) {
    return SYNC_FILE_RANGE.call(fd, offset, bytes, how);
  }

  /** Gives the memory of a range's unchanged pages back. */
  public static long drop(int fd, long offset, long bytes) {
    // It answers with the error number itself.
    return -FADVISE.call(fd, offset, bytes, DONTNEED);
  }
}
