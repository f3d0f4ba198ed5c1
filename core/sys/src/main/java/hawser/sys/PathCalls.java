package hawser.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * Calls on names relative to an open directory. A name is bytes without a NUL, shorter than 4096; a
 * call answers with its result or a negated error number. Safe from any thread.
 */
public final class PathCalls {
  /** Relative to the working directory. */
  public static final int AT_FDCWD = -100;

  /** Do not follow a symbolic link. */
  public static final int AT_SYMLINK_NOFOLLOW = 0x100;

  /** {@link #unlinkat}: a directory. */
  public static final int AT_REMOVEDIR = 0x200;

  /** {@link #linkat}: follow a symbolic link. */
  public static final int AT_SYMLINK_FOLLOW = 0x400;

  /** An empty name stands for the descriptor itself. */
  public static final int AT_EMPTY_PATH = 0x1000;

  /** No name. */
  public static final byte[] EMPTY = {};

  private static final byte[] NOWHERE = "/proc/self/fd/-1".getBytes(StandardCharsets.US_ASCII);

  /** {@link #openat2}: nothing above the directory, no absolute link. */
  public static final long RESOLVE_BENEATH = 8;

  /** {@link #openat2}: no symbolic link at all. */
  public static final long RESOLVE_NO_SYMLINKS = 4;

  /** {@link #openat2}: no link of /proc's. */
  public static final long RESOLVE_NO_MAGICLINKS = 2;

  /** {@link #utimens}: now. */
  public static final long UTIME_NOW = (1L << 30) - 1;

  /** {@link #utimens}: as it is. */
  public static final long UTIME_OMIT = (1L << 30) - 2;

  private static final long SYS_OPENAT2 = 437;
  private static final int STATX_WANTED = Statx.BASIC_STATS | Statx.BTIME | Statx.MNT_ID;
  private static volatile byte[] ownDescriptors =
      "/proc/self/fd/".getBytes(StandardCharsets.US_ASCII);

  private static final NumberCall SYSCALL = NumberCall.ofLong("syscall");
  private static final NumberCall OPENAT = NumberCall.ofInt("openat");
  private static final NumberCall STATX = NumberCall.ofInt("statx");
  private static final NumberCall MKDIRAT = NumberCall.ofInt("mkdirat");
  private static final NumberCall MKNODAT = NumberCall.ofInt("mknodat");
  private static final NumberCall SYMLINKAT = NumberCall.ofInt("symlinkat");
  private static final NumberCall LINKAT = NumberCall.ofInt("linkat");
  private static final NumberCall UNLINKAT = NumberCall.ofInt("unlinkat");
  private static final NumberCall RENAMEAT2 = NumberCall.ofInt("renameat2");
  private static final NumberCall READLINKAT = NumberCall.ofLong("readlinkat");
  private static final NumberCall FCHMODAT = NumberCall.ofInt("fchmodat");
  private static final NumberCall FCHOWNAT = NumberCall.ofInt("fchownat");
  private static final NumberCall UTIMENSAT = NumberCall.ofInt("utimensat");

  private PathCalls() {}

  /**
   * From now on the working directory is this process's {@code /proc/self/fd}, and all threads have
   * it: so descriptors stay within reach of {@link #ofDescriptor} when /proc no longer is.
   */
  public static void workingDirectoryHasDescriptors() {
    ownDescriptors = EMPTY;
  }

  /**
   * The path by which this process reaches what one of its descriptors stands for; one that leads
   * nowhere for what is no descriptor.
   */
  public static byte[] ofDescriptor(int fd) {
    if (fd < 0) {
      return NOWHERE.clone();
    }
    byte[] folder = ownDescriptors;
    int digits = 1;
    for (int rest = fd / 10; rest > 0; rest /= 10) {
      digits++;
    }
    byte[] path = java.util.Arrays.copyOf(folder, folder.length + digits);
    int rest = fd;
    for (int i = path.length - 1; i >= folder.length; i--) {
      path[i] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
    return path;
  }

  /** openat(2); {@code mode} counts only where a file may be made. Answers a descriptor. */
  public static long openat(int directory, byte[] name, int flags, int mode) {
    return OPENAT.retry(directory, PathBuffer.mine().first(name), flags, mode);
  }

  /** openat2(2) with {@code RESOLVE_} flags, for paths of many names. Answers a descriptor. */
  public static long openat2(int directory, byte[] path, int flags, long resolve) {
    try (var arena = Arena.ofConfined()) {
      // struct open_how: flags, mode, resolve
      var how = arena.allocate(24, 8);
      how.set(JAVA_LONG, 0, flags);
      how.set(JAVA_LONG, 16, resolve);
      long name = PathBuffer.mine().first(path);
      return SYSCALL.call(SYS_OPENAT2, directory, name, how.address(), how.byteSize(), 0);
    }
  }

  /** statx(2) with {@code AT_} flags. */
  public static long statx(int directory, byte[] name, int flags, Statx into) {
    long path = PathBuffer.mine().first(name);
    return STATX.call(directory, path, flags, STATX_WANTED, into.memory.address(), 0);
  }

  /** statx(2) of what a descriptor stands for. */
  public static long statx(int fd, Statx into) {
    return statx(fd, EMPTY, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, into);
  }

  /** mkdirat(2). */
  public static long mkdirat(int directory, byte[] name, int mode) {
    return MKDIRAT.call(directory, PathBuffer.mine().first(name), mode);
  }

  /** mknodat(2); {@code device} as makedev(3) packs it. */
  public static long mknodat(int directory, byte[] name, int mode, long device) {
    return MKNODAT.call(directory, PathBuffer.mine().first(name), mode, device);
  }

  /** symlinkat(2). */
  public static long symlinkat(byte[] target, int directory, byte[] name) {
    PathBuffer buffer = PathBuffer.mine();
    return SYMLINKAT.call(buffer.second(target), directory, buffer.first(name));
  }

  /** linkat(2) with {@code AT_} flags. */
  public static long linkat(int from, byte[] name, int to, byte[] newName, int flags) {
    PathBuffer buffer = PathBuffer.mine();
    return LINKAT.call(from, buffer.first(name), to, buffer.second(newName), flags, 0);
  }

  /** unlinkat(2) with {@link #AT_REMOVEDIR} or 0. */
  public static long unlinkat(int directory, byte[] name, int flags) {
    return UNLINKAT.call(directory, PathBuffer.mine().first(name), flags);
  }

  /** renameat2(2) with its flags. */
  public static long renameat2(int from, byte[] name, int to, byte[] newName, int flags) {
    PathBuffer buffer = PathBuffer.mine();
    return RENAMEAT2.call(from, buffer.first(name), to, buffer.second(newName), flags, 0);
  }

  /** readlinkat(2) into {@code into}, native memory that the calling thread keeps alive. */
  public static long readlinkat(int directory, byte[] name, MemorySegment into) {
    long path = PathBuffer.mine().first(name);
    return READLINKAT.call(directory, path, into.address(), into.byteSize());
  }

  /** chmod(2) by a path that may be {@link #ofDescriptor}. */
  public static long chmod(byte[] path, int mode) {
    return FCHMODAT.call(AT_FDCWD, PathBuffer.mine().first(path), mode);
  }

  /** fchownat(2) of what a descriptor stands for; -1 leaves owner or group as it is. */
  public static long chown(int fd, int uid, int gid) {
    int flags = AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW;
    return FCHOWNAT.call(fd, PathBuffer.mine().first(EMPTY), uid, gid, flags, 0);
  }

  /**
   * utimensat(2) by a path that may be {@link #ofDescriptor}; nanoseconds may be {@link #UTIME_NOW}
   * or {@link #UTIME_OMIT}.
   */
  public static long utimens(
      byte[] path, long atimeSeconds, long atimeNanos, long mtimeSeconds, long mtimeNanos) {
    try (var arena = Arena.ofConfined()) {
      var times = arena.allocate(32, 8);
      times.set(JAVA_LONG, 0, atimeSeconds);
      times.set(JAVA_LONG, 8, atimeNanos);
      times.set(JAVA_LONG, 16, mtimeSeconds);
      times.set(JAVA_LONG, 24, mtimeNanos);
      return UTIMENSAT.call(AT_FDCWD, PathBuffer.mine().first(path), times.address(), 0);
    }
  }

  private static final NumberCall NAME_TO_HANDLE_AT = NumberCall.ofInt("name_to_handle_at");
  private static final NumberCall OPEN_BY_HANDLE_AT = NumberCall.ofInt("open_by_handle_at");
  private static final int HANDLE_HEADER_BYTES = 8;
  private static final int HANDLE_BYTES_MAX = 128;

  /**
   * name_to_handle_at(2) of what a name in a directory leads to, links not followed, or of what a
   * descriptor stands for when the name is {@link #EMPTY}: its type in the first four bytes, in
   * this machine's order, and the file system's bytes after them. Null where there is none.
   */
  public static byte @org.jspecify.annotations.Nullable [] fileHandle(int directory, byte[] name) {
    try (var arena = Arena.ofConfined()) {
      var handle = arena.allocate(HANDLE_HEADER_BYTES + HANDLE_BYTES_MAX, 8);
      var mount = arena.allocate(4, 4);
      handle.set(JAVA_INT, 0, HANDLE_BYTES_MAX);
      long path = PathBuffer.mine().first(name);
      long result =
          NAME_TO_HANDLE_AT.call(
              directory, path, handle.address(), mount.address(), AT_EMPTY_PATH, 0);
      if (result < 0) {
        return null;
      }
      int bytes = handle.get(JAVA_INT, 0);
      return handle.asSlice(4, 4L + bytes).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
    }
  }

  /**
   * open_by_handle_at(2) of what {@link #fileHandle} told; {@code mount} is any open descriptor on
   * that file system (no O_PATH one). Needs CAP_DAC_READ_SEARCH.
   */
  public static long openByHandle(int mount, byte[] fileHandle, int flags) {
    if (fileHandle.length < 4 || fileHandle.length > 4 + HANDLE_BYTES_MAX) {
      throw new IllegalArgumentException("a file handle of " + fileHandle.length + " bytes");
    }
    try (var arena = Arena.ofConfined()) {
      var handle = arena.allocate(4L + fileHandle.length, 8);
      handle.set(JAVA_INT, 0, fileHandle.length - 4);
      MemorySegment.copy(MemorySegment.ofArray(fileHandle), 0, handle, 4, fileHandle.length);
      return OPEN_BY_HANDLE_AT.retry(mount, handle.address(), flags, 0);
    }
  }
}
