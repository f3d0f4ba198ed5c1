package hawser.sys;

import static hawser.sys.Native.bind;
import static hawser.sys.Native.broken;
import static hawser.sys.Native.check;
import static hawser.sys.Native.state;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.invoke.MethodHandle;

/**
 * Advice about a file's pages in memory. A call answers 0 or a negated error number; none of them
 * changes what the file holds or promises that it is durable. Safe from any thread.
 */
public final class PageCache {
  private static final int WAIT_BEFORE = 1;
  private static final int WRITE = 2;
  private static final int WAIT_AFTER = 4;
  private static final int DONTNEED = 4;

  private static final MethodHandle SYNC_FILE_RANGE =
      bind("sync_file_range", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
  private static final MethodHandle FADVISE =
      bind("posix_fadvise64", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);

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
    try {
      var state = state();
      return check((int) SYNC_FILE_RANGE.invokeExact(state, fd, offset, bytes, how), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** Gives the memory of a range's unchanged pages back. */
  public static long drop(int fd, long offset, long bytes) {
    try {
      // It answers with the error number itself.
      return -(int) FADVISE.invokeExact(state(), fd, offset, bytes, DONTNEED);
    } catch (Throwable e) {
      throw broken(e);
    }
  }
}
