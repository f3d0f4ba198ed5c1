package hawser.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

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

  /** {@link PathCalls#openat}: stands for a file without opening it. */
  public static final int O_PATH = 0x200000;

  /** {@link PathCalls#openat}: a symbolic link itself is not opened. */
  public static final int O_NOFOLLOW = Linux.onAarch64() ? 0x8000 : 0x20000;

  /** {@link PathCalls#openat}: nothing but a directory. */
  public static final int O_DIRECTORY = Linux.onAarch64() ? 0x4000 : 0x10000;

  /** Write only. */
  public static final int O_WRONLY = 1;

  /** The bits of the access mode. */
  public static final int O_ACCMODE = 3;

  /** Each write goes to the end. */
  public static final int O_APPEND = 0x400;

  /** {@link PathCalls#openat}: a file without a name in this directory. */
  public static final int O_TMPFILE = 0x400000 | O_DIRECTORY;

  /** Reading leaves the time of the last access alone. */
  public static final int O_NOATIME = 0x40000;

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

  /** {@link #lseek}: from the beginning. */
  public static final int SEEK_SET = 0;

  /** {@link #lseek}: relative to the end. */
  public static final int SEEK_END = 2;

  /** {@link #fallocate}: leave the file's size alone. */
  public static final int FALLOC_KEEP_SIZE = 1;

  /** {@link #fallocate}: give the blocks back; reads as zeroes. */
  public static final int FALLOC_PUNCH_HOLE = 2;

  /** {@link #fallocate}: make it read as zeroes, keeping blocks allocated. */
  public static final int FALLOC_ZERO_RANGE = 16;

  private static final NumberCall OPEN = NumberCall.ofInt("open");
  private static final NumberCall CLOSE = NumberCall.ofInt("close");
  private static final BufferCall READ = BufferCall.ofLong("read");
  private static final BufferCall WRITE = BufferCall.ofLong("write");
  private static final BufferCall PREAD = BufferCall.ofLong("pread64");
  private static final BufferCall PWRITE = BufferCall.ofLong("pwrite64");
  private static final BufferCall PREADV2 = BufferCall.ofLong("preadv64v2");
  private static final BufferCall PWRITEV2 = BufferCall.ofLong("pwritev64v2");
  private static final NumberCall FDATASYNC = NumberCall.ofInt("fdatasync");
  private static final NumberCall FSYNC = NumberCall.ofInt("fsync");
  private static final NumberCall SYNCFS = NumberCall.ofInt("syncfs");
  private static final NumberCall FLOCK = NumberCall.ofInt("flock");
  private static final NumberCall FSTATFS = NumberCall.ofInt("fstatfs64");
  private static final BufferCall GETDENTS = BufferCall.ofLong("getdents64");
  private static final NumberCall FTRUNCATE = NumberCall.ofInt("ftruncate64");
  private static final NumberCall FALLOCATE = NumberCall.ofInt("fallocate64");
  private static final NumberCall LSEEK = NumberCall.ofLong("lseek64");
  private static final NumberCall COPY_FILE_RANGE = NumberCall.ofLong("copy_file_range");
  private static final NumberCall FCNTL = NumberCall.ofInt("fcntl");
  private static final NumberCall IOCTL = NumberCall.ofInt("ioctl");
  private static final NumberCall PIPE2 = NumberCall.ofInt("pipe2");
  private static final NumberCall STATX = NumberCall.ofInt("statx");

  private FileCalls() {}

  /** open(2); {@code mode} counts only with {@link #O_CREAT}. Answers a descriptor. */
  public static long open(String path, int flags, int mode) {
    try (var arena = Arena.ofConfined()) {
      long name = arena.allocateFrom(path).address();
      return OPEN.retry(name, flags, mode, 0);
    }
  }

  /** A pipe: {@code pair[0]} is read from, {@code pair[1]} written to. Closed on exec. */
  public static long pipe(int[] pair) {
    try (var arena = Arena.ofConfined()) {
      var fds = arena.allocate(8, 4);
      long result = PIPE2.call(fds.address(), O_CLOEXEC);
      pair[0] = fds.get(JAVA_INT, 0);
      pair[1] = fds.get(JAVA_INT, 4);
      return result;
    }
  }

  /** close(2). */
  public static long close(int fd) {
    return CLOSE.call(fd);
  }

  /** read(2): up to all of {@code into} from the file's own position. */
  public static long read(int fd, MemorySegment into) {
    return READ.call(fd, into, into.byteSize());
  }

  /** write(2): up to all of {@code from} at the file's own position. */
  public static long write(int fd, MemorySegment from) {
    return WRITE.call(fd, from, from.byteSize());
  }

  /** pread(2) into all of {@code into}; may be short. */
  public static long pread(int fd, MemorySegment into, long offset) {
    return PREAD.call(fd, into, into.byteSize(), offset);
  }

  /** pwrite(2) of all of {@code from}; may be short. */
  public static long pwrite(int fd, MemorySegment from, long offset) {
    return PWRITE.call(fd, from, from.byteSize(), offset);
  }

  /** preadv2(2) into the pieces of {@code iovecs}; may be short. */
  public static long preadv2(int fd, Iovecs iovecs, long offset, int flags) {
    return PREADV2.call(fd, iovecs.address(), iovecs.count(), offset, flags);
  }

  /** pwritev2(2) of the pieces of {@code iovecs}; may be short. */
  public static long pwritev2(int fd, Iovecs iovecs, long offset, int flags) {
    return PWRITEV2.call(fd, iovecs.address(), iovecs.count(), offset, flags);
  }

  /** fdatasync(2). */
  public static long fdatasync(int fd) {
    return FDATASYNC.call(fd);
  }

  /** fsync(2). */
  public static long fsync(int fd) {
    return FSYNC.call(fd);
  }

  /** syncfs(2): all of the file system that the descriptor lies on. */
  public static long syncfs(int fd) {
    return SYNCFS.call(fd);
  }

  /** flock(2) with its operation. */
  public static long flock(int fd, int operation) {
    return FLOCK.call(fd, operation);
  }

  /** fstatfs(2) into a struct statfs64, native memory of 120 bytes of the calling thread's. */
  public static long fstatfs(int fd, MemorySegment into) {
    return FSTATFS.call(fd, into.address());
  }

  /** getdents64(2): whole struct dirent64 from the directory's position on; 0 at the end. */
  public static long getdents(int fd, MemorySegment into) {
    return GETDENTS.call(fd, into, into.byteSize());
  }

  /** ftruncate(2). */
  public static long ftruncate(int fd, long length) {
    return FTRUNCATE.call(fd, length);
  }

  /** fallocate(2) with {@code FALLOC_} flags. */
  public static long fallocate(int fd, int mode, long offset, long length) {
    return FALLOCATE.retry(fd, mode, offset, length);
  }

  /** lseek(2). */
  public static long lseek(int fd, long offset, int whence) {
    return LSEEK.call(fd, offset, whence);
  }

  /** copy_file_range(2) between two offsets; answers how many bytes were copied, 0 at the end. */
  public static long copyFileRange(int from, long fromOffset, int to, long toOffset, long length) {
    try (var arena = Arena.ofConfined()) {
      long in = arena.allocateFrom(JAVA_LONG, fromOffset).address();
      long out = arena.allocateFrom(JAVA_LONG, toOffset).address();
      return COPY_FILE_RANGE.call(from, in, to, out, length, 0);
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

  /**
   * A lock that another holds.
   *
   * @param length 0 for all that follows {@code start}
   */
  public record HeldLock(Lock lock, long start, long length) {}

  /** The lock for which this one could not be taken now; null when it could, or has no answer. */
  public static @Nullable HeldLock ofdLockInTheWay(int fd, Lock lock, long start, long length) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment flock = flock(arena, lock, start, length);
      if (FCNTL.call(fd, F_OFD_GETLK, flock.address()) < 0) {
        return null;
      }
      short type = flock.get(JAVA_SHORT, 0);
      return type == Lock.NONE.type
          ? null
          : new HeldLock(
              type == Lock.READ.type ? Lock.READ : Lock.WRITE,
              flock.get(JAVA_LONG, 8),
              flock.get(JAVA_LONG, 16));
    }
  }

  private static MemorySegment flock(Arena arena, Lock lock, long start, long length) {
    // struct flock: l_type 0, l_whence 2, l_start 8, l_len 16, l_pid 24
    MemorySegment flock = arena.allocate(32, 8);
    flock.set(JAVA_SHORT, 0, lock.type);
    flock.set(JAVA_LONG, 8, start);
    flock.set(JAVA_LONG, 16, length);
    return flock;
  }

  private static long ofd(int fd, int command, Lock lock, long start, long length) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment flock = flock(arena, lock, start, length);
      long result = FCNTL.call(fd, command, flock.address());
      if (result < 0 || command == F_OFD_SETLK) {
        return result;
      }
      return flock.get(JAVA_SHORT, 0) == Lock.NONE.type ? 0 : 1;
    }
  }

  private static final int F_GETFL = 3;

  /** The open flags of a descriptor (F_GETFL). */
  public static long openFlags(int fd) {
    return FCNTL.call(fd, F_GETFL);
  }

  private static final int F_DUPFD_CLOEXEC = 1030;

  /** Another descriptor of the same open file. */
  public static long duplicate(int fd) {
    return FCNTL.call(fd, F_DUPFD_CLOEXEC);
  }

  private static final int F_SETFL = 4;

  /** Lets reads and writes of a descriptor fail with EAGAIN instead of waiting. */
  public static long setNonblocking(int fd) {
    long flags = openFlags(fd);
    return flags < 0 ? flags : FCNTL.call(fd, F_SETFL, flags | O_NONBLOCK);
  }

  /** ioctl(2) with a pointer to memory that the calling thread keeps alive. */
  public static long ioctl(int fd, long request, MemorySegment argument) {
    return IOCTL.call(fd, request, argument.address());
  }

  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int STATX_BASIC_STATS = 0x7ff;
  private static final int STATX_DIOALIGN = 0x2000;
  private static final int STATX_BYTES = 256;

  /**
   * Reads {@link Stat} of an open descriptor into {@code stat}, which the calling thread keeps
   * alive; 0 or a negated error number.
   */
  public static long fstat(int fd, MemorySegment stat) {
    try (var arena = Arena.ofConfined()) {
      long empty = arena.allocateFrom("").address();
      int wanted = STATX_BASIC_STATS | STATX_DIOALIGN;
      return STATX.call(fd, empty, AT_EMPTY_PATH, wanted, stat.address(), 0);
    }
  }

  /** What {@link #fstat} needs: room for one struct statx. */
  public static MemorySegment allocateStat(Arena arena) {
    return arena.allocate(STATX_BYTES, 8);
  }
}
