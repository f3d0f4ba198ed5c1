package hawser.fs.passthrough;

import static hawser.sys.FileCalls.O_APPEND;
import static hawser.sys.FileCalls.O_RDONLY;

import hawser.base.BlockFault;
import hawser.fs.fuse.InitFlag;
import hawser.fs.journal.Attempt;
import hawser.sys.FileCalls;
import hawser.sys.Iovecs;
import hawser.sys.PathCalls;
import hawser.sys.Statx;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Writes to the end of a file, where the host's kernel decides where that is: done again, they
 * would stand there twice.
 */
final class Appends {
  private static final int PIECE_BYTES = 64 << 10;

  private final Share share;

  Appends(Share share) {
    this.share = share;
  }

  /** Whether writes to an open file are such, and may be asked for again. */
  boolean areTo(OpenFile file) {
    return share.journal.isOn()
        && (file.flags() & O_APPEND) != 0
        && !InitFlag.WRITEBACK_CACHE.in(share.agreed);
  }

  /**
   * Finds out how much of what is to be written a daemon that died had written already; all of it,
   * some, or nothing. At the first try remembers where the end is.
   *
   * @return bytes, or a negated error number
   */
  long alreadyWritten(long unique, OpenFile file, Iovecs from) {
    Statx status = Share.room();
    long result = PathCalls.statx(file.descriptor().fd, status);
    if (result < 0) {
      return result;
    }
    long size = status.size();
    Attempt earlier = share.journal.earlier(unique);
    if (earlier == null || earlier.size() == Attempt.NO_SIZE) {
      share.journal.appending(unique, size);
      return 0;
    }
    long wanted = from.bytes();
    long added = Math.min(size - earlier.size(), wanted);
    boolean ours = added == wanted || size == earlier.size() + added;
    return added > 0 && ours && isThere(file, earlier.size(), added, from) ? added : 0;
  }

  /** Whether a file has the first bytes of what is to be written; true where it cannot be read. */
  private boolean isThere(OpenFile file, long offset, long bytes, Iovecs from) {
    int fd;
    try {
      fd = share.inodes.openAgain(file.inode(), O_RDONLY);
    } catch (BlockFault e) {
      return true;
    }
    try (var arena = Arena.ofConfined()) {
      MemorySegment room = arena.allocate(PIECE_BYTES);
      long done = 0;
      for (int i = 0; i < from.count() && done < bytes; i++) {
        long length = Math.min(from.piece(i).byteSize(), bytes - done);
        if (!isThere(fd, offset + done, from.piece(i).asSlice(0, length), room)) {
          return false;
        }
        done += length;
      }
      return true;
    } finally {
      FileCalls.close(fd);
    }
  }

  private static boolean isThere(int fd, long offset, MemorySegment piece, MemorySegment room) {
    for (long done = 0; done < piece.byteSize(); ) {
      long length = Math.min(room.byteSize(), piece.byteSize() - done);
      long count = FileCalls.pread(fd, room.asSlice(0, length), offset + done);
      if (count <= 0 || room.asSlice(0, count).mismatch(piece.asSlice(done, count)) >= 0) {
        return false;
      }
      done += count;
    }
    return true;
  }
}
