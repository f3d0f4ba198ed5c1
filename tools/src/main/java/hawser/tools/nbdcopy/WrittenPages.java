package hawser.tools.nbdcopy;

import hawser.sys.PageCache;

/**
 * Keeps what one lane writes to a file from filling the page cache: the disk is told to take each
 * piece at once, and memory of pieces that it has taken is given back and so used again while it is
 * warm. Whatever else was cached stays, and so do the file's pages that others read.
 */
final class WrittenPages {
  /** Pieces under way to the disk: enough for it to stay busy. */
  private static final int PIECES = 8;

  private final int fd;
  private final long[] offsets = new long[PIECES];
  private final long[] bytes = new long[PIECES];
  private int next;

  WrittenPages(int fd) {
    this.fd = fd;
  }

  /** A piece was written. What the kernel says is no concern: it is advice. */
  void add(long offset, long length) {
    if (fd < 0) {
      return;
    }
    if (bytes[next] > 0) {
      PageCache.awaitWritten(fd, offsets[next], bytes[next]);
      PageCache.drop(fd, offsets[next], bytes[next]);
    }
    PageCache.beginWriting(fd, offset, length);
    offsets[next] = offset;
    bytes[next] = length;
    next = (next + 1) % PIECES;
  }
}
