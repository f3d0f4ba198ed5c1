package hawser.sys;

import static hawser.sys.Native.bind;
import static hawser.sys.Native.broken;
import static hawser.sys.Native.check;
import static hawser.sys.Native.state;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Calls on files and block devices. Offsets and lengths are bytes. A call answers with its result
 * or with a negated error number. {@code EINTR} is retried here. Safe from any thread.
 */
public final class FileCalls {
  /** Flags of {@link #open}. */
  public static final int O_RDONLY = 0;

  /** Read and write. */
  public static final int O_RDWR = 2;

  /** Create when missing. */
  public static final int O_CREAT = 0x40;

  /** Fail when it exists. */
  public static final int O_EXCL = 0x80;

  /** Cut to length 0. */
  public static final int O_TRUNC = 0x200;

  /** Never wait in open. */
  public static final int O_NONBLOCK = 0x800;

  /** Not inherited by child processes. */
  public static final int O_CLOEXEC = 0x80000;

  /** Past the page cache. */
  public static final int O_DIRECT = Linux.onAarch64() ? 0x10000 : 0x4000;

  /** Fail with EAGAIN instead of waiting for the device ({@link #preadv2}). */
  public static final int RWF_NOWAIT = 8;

  /** Durable when the call returns ({@link #pwritev2}). */
  public static final int RWF_DSYNC = 2;

  /** {@link #lseek}: the next byte that is stored. */
  public static final int SEEK_DATA = 3;

  /** {@link #lseek}: the next byte that is not stored, or the end. */
  public static final int SEEK_HOLE = 4;

  /** {@link #lseek}: relative to the end. */
  public static final int SEEK_END = 2;

  /** {@link #fallocate}: leave the file's size alone. */
  public static final int FALLOC_KEEP_SIZE = 1;

  /** {@link #fallocate}: give the blocks back; reads as zeroes. */
  public static final int FALLOC_PUNCH_HOLE = 2;

  /** {@link #fallocate}: make it read as zeroes, keeping blocks allocated. */
  public static final int FALLOC_ZERO_RANGE = 16;

  private static final MethodHandle OPEN =
      Native.bindVariadic("open", 2, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
  private static final MethodHandle CLOSE = bind("close", JAVA_INT, JAVA_INT);
  private static final MethodHandle PREAD =
      bind("pread64", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle PWRITE =
      bind("pwrite64", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle PREADV2 =
      bind("preadv64v2", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT, JAVA_LONG, JAVA_INT);
  private static final MethodHandle PWRITEV2 =
      bind("pwritev64v2", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT, JAVA_LONG, JAVA_INT);
  private static final MethodHandle FDATASYNC = bind("fdatasync", JAVA_INT, JAVA_INT);
  private static final MethodHandle FTRUNCATE = bind("ftruncate64", JAVA_INT, JAVA_INT, JAVA_LONG);
  private static final MethodHandle FALLOCATE =
      bind("fallocate64", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle LSEEK =
      bind("lseek64", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT);
  private static final MethodHandle COPY_FILE_RANGE =
      bind("copy_file_range", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
  private static final MethodHandle FCNTL =
      Native.bindVariadic("fcntl", 2, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS);
  private static final MethodHandle IOCTL =
      Native.bindVariadic("ioctl", 2, JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS);
  private static final MethodHandle STATX =
      bind("statx", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS);

  private static final int EINTR = 4;

  private FileCalls() {}

  /** open(2); {@code mode} counts only with {@link #O_CREAT}. Answers a descriptor. */
  public static long open(String path, int flags, int mode) {
    try (var arena = Arena.ofConfined()) {
      var state = state();
      var name = arena.allocateFrom(path);
      long result;
      do {
        result = check((int) OPEN.invokeExact(state, name, flags, mode), state);
      } while (result == -EINTR);
      return result;
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** close(2). */
  public static long close(int fd) {
    try {
      var state = state();
      return check((int) CLOSE.invokeExact(state, fd), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** pread(2) into all of {@code into}; may be short. */
  public static long pread(int fd, MemorySegment into, long offset) {
    try {
      var state = state();
      long result;
      do {
        result = check((long) PREAD.invokeExact(state, fd, into, into.byteSize(), offset), state);
      } while (result == -EINTR);
      return result;
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** pwrite(2) of all of {@code from}; may be short. */
  public static long pwrite(int fd, MemorySegment from, long offset) {
    try {
      var state = state();
      long result;
      do {
        result = check((long) PWRITE.invokeExact(state, fd, from, from.byteSize(), offset), state);
      } while (result == -EINTR);
      return result;
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** preadv2(2) into the pieces of {@code iovecs}; may be short. */
  public static long preadv2(int fd, Iovecs iovecs, long offset, int flags) {
    try {
      var state = state();
      long result;
      do {
        result =
            check(
                (long)
                    PREADV2.invokeExact(state, fd, iovecs.address(), iovecs.count(), offset, flags),
                state);
      } while (result == -EINTR);
      return result;
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** pwritev2(2) of the pieces of {@code iovecs}; may be short. */
  public static long pwritev2(int fd, Iovecs iovecs, long offset, int flags) {
    try {
      var state = state();
      long result;
      do {
        result =
            check(
                (long)
                    PWRITEV2.invokeExact(
                        state, fd, iovecs.address(), iovecs.count(), offset, flags),
                state);
      } while (result == -EINTR);
      return result;
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** fdatasync(2). */
  public static long fdatasync(int fd) {
    try {
      var state = state();
      return check((int) FDATASYNC.invokeExact(state, fd), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** ftruncate(2). */
  public static long ftruncate(int fd, long length) {
    try {
      var state = state();
      return check((int) FTRUNCATE.invokeExact(state, fd, length), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** fallocate(2) with {@code FALLOC_} flags. */
  public static long fallocate(int fd, int mode, long offset, long length) {
    try {
      var state = state();
      long result;
      do {
        result = check((int) FALLOCATE.invokeExact(state, fd, mode, offset, length), state);
      } while (result == -EINTR);
      return result;
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** lseek(2). */
  public static long lseek(int fd, long offset, int whence) {
    try {
      var state = state();
      return check((long) LSEEK.invokeExact(state, fd, offset, whence), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** copy_file_range(2) between two offsets; answers how many bytes were copied, 0 at the end. */
  public static long copyFileRange(int from, long fromOffset, int to, long toOffset, long length) {
    try (var arena = Arena.ofConfined()) {
      var state = state();
      var in = arena.allocateFrom(JAVA_LONG, fromOffset);
      var out = arena.allocateFrom(JAVA_LONG, toOffset);
      return check((long) COPY_FILE_RANGE.invokeExact(state, from, in, to, out, length, 0), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** A kind of byte-range lock that belongs to the open file, not to the process. */
  public enum Lock {
    /** Shared. */
    READ(0),
    /** Exclusive. */
    WRITE(1),
    /** None: gives the range back. */
    NONE(2);

    private final short type;

    Lock(int type) {
      this.type = (short) type;
    }
  }

  private static final int F_OFD_GETLK = 36;
  private static final int F_OFD_SETLK = 37;

  /** Takes or gives back an open-file-description lock without waiting; EAGAIN when it is held. */
  public static long ofdLock(int fd, Lock lock, long start, long length) {
    return ofd(fd, F_OFD_SETLK, lock, start, length);
  }

  /**
   * Whether {@code lock} could be taken now: 0 when it could, 1 when another holds a lock against
   * it.
   */
  public static long ofdLockHeld(int fd, Lock lock, long start, long length) {
    return ofd(fd, F_OFD_GETLK, lock, start, length);
  }

  private static long ofd(int fd, int command, Lock lock, long start, long length) {
    try (var arena = Arena.ofConfined()) {
      var state = state();
      // struct flock: l_type 0, l_whence 2, l_start 8, l_len 16, l_pid 24
      var flock = arena.allocate(32, 8);
      flock.set(JAVA_SHORT, 0, lock.type);
      flock.set(JAVA_LONG, 8, start);
      flock.set(JAVA_LONG, 16, length);
      long result = check((int) FCNTL.invokeExact(state, fd, command, flock), state);
      if (result < 0 || command == F_OFD_SETLK) {
        return result;
      }
      return flock.get(JAVA_SHORT, 0) == Lock.NONE.type ? 0 : 1;
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  private static final int F_GETFL = 3;

  /** The open flags of a descriptor (F_GETFL). */
  public static long openFlags(int fd) {
    try {
      var state = state();
      return check((int) FCNTL.invokeExact(state, fd, F_GETFL, MemorySegment.NULL), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** ioctl(2) with a pointer argument. */
  public static long ioctl(int fd, long request, MemorySegment argument) {
    try {
      var state = state();
      return check((int) IOCTL.invokeExact(state, fd, request, argument), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int STATX_BASIC_STATS = 0x7ff;
  private static final int STATX_DIOALIGN = 0x2000;
  private static final int STATX_BYTES = 256;

  /** Reads {@link Stat} of an open descriptor into {@code stat}; 0 or a negated error number. */
  public static long fstat(int fd, MemorySegment stat) {
    try (var arena = Arena.ofConfined()) {
      var state = state();
      var empty = arena.allocateFrom("");
      return check(
          (int)
              STATX.invokeExact(
                  state, fd, empty, AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_DIOALIGN, stat),
          state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** What {@link #fstat} needs: room for one struct statx. */
  public static MemorySegment allocateStat(Arena arena) {
    return arena.allocate(STATX_BYTES, 8);
  }
}
