package hawser.fs.fuse;

import hawser.fs.Name;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A FUSE request without its header, each the kernel's structure of the same name. Sizes, offsets
 * and lengths are bytes and not checked yet: a guest chose them. {@code handle} is what OPEN,
 * OPENDIR or CREATE answered with.
 */
public sealed interface FuseRequest {
  /** What does a name in a directory lead to? */
  record Lookup(Name name) implements FuseRequest {}

  /** Some lookups of an inode count no more. */
  record Forget(long lookups) implements FuseRequest {}

  /** Several inodes at once. */
  record BatchForget(List<One> nodes) implements FuseRequest {
    /** What to forget of one inode. */
    public record One(long nodeId, long lookups) {}
  }

  /** An inode's attributes. */
  record Getattr(int flags, long handle) implements FuseRequest {
    /** The handle counts. */
    public static final int FH = 1;
  }

  /** An inode's attributes, with those of statx(2). */
  record Statx(int flags, long handle, int statxFlags, int mask) implements FuseRequest {}

  /** What is not in {@code valid} stays as it is. */
  record Setattr(
      int valid,
      long handle,
      long size,
      long lockOwner,
      Time atime,
      Time mtime,
      Time ctime,
      int mode,
      int uid,
      int gid)
      implements FuseRequest {
    public static final int MODE = 1;
    public static final int UID = 1 << 1;
    public static final int GID = 1 << 2;
    public static final int SIZE = 1 << 3;
    public static final int ATIME = 1 << 4;
    public static final int MTIME = 1 << 5;
    public static final int FH = 1 << 6;
    public static final int ATIME_NOW = 1 << 7;
    public static final int MTIME_NOW = 1 << 8;
    public static final int LOCKOWNER = 1 << 9;
    public static final int CTIME = 1 << 10;
    public static final int KILL_SUIDGID = 1 << 11;

    /** Whether one of these is to be set. */
    public boolean sets(int mask) {
      return (valid & mask) != 0;
    }
  }

  /** Where a symbolic link leads. */
  record Readlink() implements FuseRequest {}

  /** Makes a symbolic link. */
  record Symlink(Name name, Name target, Extensions extensions) implements FuseRequest {}

  /** Makes a file of any type but a directory and a link. */
  record Mknod(Name name, int mode, int device, int umask, Extensions extensions)
      implements FuseRequest {}

  /** Makes a directory. */
  record Mkdir(Name name, int mode, int umask, Extensions extensions) implements FuseRequest {}

  /** Takes a name away that is no directory's. */
  record Unlink(Name name) implements FuseRequest {}

  /** Takes an empty directory away. */
  record Rmdir(Name name) implements FuseRequest {}

  /** RENAME, with no flags, and RENAME2, with those of renameat2(2). */
  record Rename(Name from, long toDirectory, Name to, int flags) implements FuseRequest {}

  /** Gives {@code nodeId} one more name, in the directory that the header names. */
  record Link(long nodeId, Name name) implements FuseRequest {}

  /** {@code openFlags}: {@link #KILL_SUIDGID}. */
  record Open(int flags, int openFlags) implements FuseRequest {
    /** An open that cuts the file takes its set-user-ID and set-group-ID bits away. */
    public static final int KILL_SUIDGID = 1;
  }

  /** Makes a file and opens it. */
  record Create(Name name, int flags, int mode, int umask, int openFlags, Extensions extensions)
      implements FuseRequest {}

  /** A file without a name in this directory (O_TMPFILE). */
  record Tmpfile(int flags, int mode, int umask, int openFlags, Extensions extensions)
      implements FuseRequest {}

  /** How much room there is. */
  record Statfs() implements FuseRequest {}

  /** An open file is closed. */
  record Release(long handle, int flags, int releaseFlags, long lockOwner) implements FuseRequest {
    public static final int FLUSH = 1;
    public static final int FLOCK_UNLOCK = 1 << 1;
  }

  /** One of a file's descriptors is closed. */
  record Flush(long handle, long lockOwner) implements FuseRequest {}

  /** A file reaches the disk. */
  record Fsync(long handle, boolean dataOnly) implements FuseRequest {}

  /** Opens a directory. */
  record Opendir(int flags) implements FuseRequest {}

  /** READDIR and, with {@code plus}, READDIRPLUS. */
  record Readdir(long handle, long offset, int size, boolean plus) implements FuseRequest {}

  /** An open directory is closed. */
  record Releasedir(long handle) implements FuseRequest {}

  /** A directory reaches the disk. */
  record Fsyncdir(long handle, boolean dataOnly) implements FuseRequest {}

  /** Sets an extended attribute. */
  record Setxattr(Name name, Name value, int flags, int setxattrFlags) implements FuseRequest {
    /** An access list that takes the set-group-ID bit away. */
    public static final int ACL_KILL_SGID = 1;
  }

  /** With a size of 0 only the size is asked for. */
  record Getxattr(Name name, int size) implements FuseRequest {}

  /** With a size of 0 only the size is asked for. */
  record Listxattr(int size) implements FuseRequest {}

  /** Removes an extended attribute. */
  record Removexattr(Name name) implements FuseRequest {}

  /** May the caller do this? */
  record Access(int mask) implements FuseRequest {}

  /** Which lock is in the way of this one? */
  record Getlk(long handle, long owner, FileLock lock, int flags) implements FuseRequest {}

  /** SETLK and, when it may wait, SETLKW. */
  record Setlk(long handle, long owner, FileLock lock, int flags, boolean waits)
      implements FuseRequest {
    /** A lock of flock(2) rather than of fcntl(2). */
    public static final int FLOCK = 1;
  }

  /** Gives a range of a file room, or takes it. */
  record Fallocate(long handle, long offset, long length, int mode) implements FuseRequest {}

  /** Where data or a hole begins. */
  record Lseek(long handle, long offset, int whence) implements FuseRequest {}

  /** Copies from one open file to another. */
  record CopyFileRange(
      long handleIn,
      long offsetIn,
      long nodeIdOut,
      long handleOut,
      long offsetOut,
      long length,
      long flags)
      implements FuseRequest {}

  /** Everything reaches the disk. */
  record Syncfs() implements FuseRequest {}

  /** Controls a file or its device. */
  record Ioctl(long handle, int flags, int command, long argument, Name input, int outputBytes)
      implements FuseRequest {}

  /** An earlier request is to end. */
  record Interrupt(long unique) implements FuseRequest {}

  /** A kernel mounts: what it knows. */
  record Init(int major, int minor, int maxReadahead, long flags) implements FuseRequest {}

  /** The kernel has unmounted. */
  record Destroy() implements FuseRequest {}

  /** One that is known and never served, or not known at all ({@code opcode} is null). */
  record Unsupported(@Nullable Opcode opcode) implements FuseRequest {}
}
