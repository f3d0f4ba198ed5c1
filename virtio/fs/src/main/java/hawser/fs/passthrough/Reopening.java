package hawser.fs.passthrough;

import static hawser.sys.FileCalls.O_CLOEXEC;
import static hawser.sys.FileCalls.O_NOFOLLOW;
import static hawser.sys.FileCalls.O_PATH;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.sys.PathCalls;
import hawser.sys.Statx;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Opens inodes whose descriptors are closed: by their names, directory by directory, and when
 * others have changed those, by their file handles. What is opened is the same file, or refused.
 * Safe from any thread.
 */
final class Reopening {
  /** Mounts within each other at most on the way to a file handle. */
  private static final int MOUNTS_MAX = 40;

  private final Inodes inodes;

  Reopening(Inodes inodes) {
    this.inodes = inodes;
  }

  /**
   * A descriptor that stands for an inode; the caller releases it.
   *
   * @throws BlockFault ESTALE when the file is nowhere to be found
   */
  Descriptor again(Inode inode) throws BlockFault {
    return reopen(inode, 0);
  }

  /**
   * Opens an inode by its name, or else by its handle.
   *
   * @param mounts within how many others this one is looked for
   */
  private Descriptor reopen(Inode inode, int mounts) throws BlockFault {
    try {
      return byNames(inode);
    } catch (BlockFault gone) {
      Descriptor found = mounts < MOUNTS_MAX ? byHandle(inode, mounts) : null;
      if (found == null) {
        throw gone;
      }
      return found;
    }
  }

  /** Opens an inode by its handle; null when there is none, or it leads nowhere. */
  @Nullable Descriptor byHandle(Inode inode) throws BlockFault {
    return byHandle(inode, 0);
  }

  private @Nullable Descriptor byHandle(Inode inode, int mounts) throws BlockFault {
    byte[] handle = inode.handle;
    if (handle == null || !inodes.handles.areUsed()) {
      return null;
    }
    Descriptor top = topOfMount(inode, mounts);
    long fd;
    try {
      fd = FileHandles.open(top.fd, handle);
      if (isFull(fd)) {
        inodes.makeRoom();
        fd = FileHandles.open(top.fd, handle);
      }
    } finally {
      top.release();
    }
    return fd < 0 ? null : inodes.keep(inode, checked((int) fd, inode));
  }

  /** What lies above all else on an inode's mount, as far as is known. */
  private Descriptor topOfMount(Inode inode, int mounts) throws BlockFault {
    if (inode.id.mount() == inodes.root().id.mount()) {
      return inodes.hold(inodes.root());
    }
    Inode top = inode;
    Inode above = inodes.above(top);
    for (int i = 0; above.id.mount() == inode.id.mount(); i++) {
      if (i == Inodes.DEPTH_MAX) {
        throw Kernel.no(Errno.ESTALE);
      }
      top = above;
      above = inodes.above(top);
    }
    if (top.type != Statx.DIRECTORY && top.type != Statx.REGULAR) {
      // Opening a device, or a fifo, does something.
      throw Kernel.no(Errno.ESTALE);
    }
    Descriptor open = inodes.held(above);
    Descriptor directory = open != null ? open : reopen(above, mounts + 1);
    try {
      return openIn(directory, top);
    } finally {
      directory.release();
    }
  }

  /** Opens the nearest directory above that needs it, and then all below it, one by one. */
  private Descriptor byNames(Inode inode) throws BlockFault {
    List<Inode> closed = new ArrayList<>();
    Descriptor directory = null;
    for (Inode at = inode; directory == null; at = inodes.above(at)) {
      if (closed.size() == Inodes.DEPTH_MAX) {
        // Others have moved directories into each other, so that what is remembered goes in
        // circles.
        throw Kernel.no(Errno.ESTALE);
      }
      closed.add(at);
      directory = inodes.held(inodes.above(at));
    }
    for (Inode next : closed.reversed()) {
      Descriptor below;
      try {
        below = openIn(directory, next);
      } finally {
        directory.release();
      }
      directory = below;
    }
    return directory;
  }

  private Descriptor openIn(Descriptor directory, Inode inode) throws BlockFault {
    byte[] name;
    synchronized (inodes) {
      if (inode.name == null || inode.nameless) {
        throw Kernel.no(Errno.ESTALE);
      }
      name = inode.name.bytes();
    }
    Descriptor opened = checked(open(directory.fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), inode);
    if (inode.handle == null && inodes.handles.areUsed()) {
      inodes.remember(inode, PathCalls.fileHandle(opened.fd, PathCalls.EMPTY));
    }
    return inodes.keep(inode, opened);
  }

  /** A descriptor that stands for this inode and no other; ESTALE, and closed, if it does not. */
  private static Descriptor checked(int fd, Inode inode) throws BlockFault {
    var opened = new Descriptor(fd);
    var status = new Statx();
    long result = PathCalls.statx(fd, status);
    if (result < 0 || !FileId.of(status).equals(inode.id) || isAnother(fd, inode)) {
      opened.release();
      throw result < 0 ? Kernel.no(result) : Kernel.no(Errno.ESTALE);
    }
    return opened;
  }

  /** Whether a file has got the number of another, whose handle is known. */
  private static boolean isAnother(int fd, Inode inode) {
    byte[] handle = inode.handle;
    return handle != null
        && inode.id.mayBeAnother()
        && !Arrays.equals(handle, PathCalls.fileHandle(fd, PathCalls.EMPTY));
  }

  /** Whether there are too many open files for one more. */
  static boolean isFull(long result) {
    return result == -Errno.EMFILE.number() || result == -Errno.ENFILE.number();
  }

  /** Opens a name, making room once when the process has too many files open. */
  int open(int directory, byte[] name, int flags) throws BlockFault {
    long fd = PathCalls.openat(directory, name, flags, 0);
    if (isFull(fd)) {
      inodes.makeRoom();
      fd = PathCalls.openat(directory, name, flags, 0);
    }
    if (fd == -Errno.ENOENT.number() || fd == -Errno.ENOTDIR.number()) {
      throw Kernel.no(Errno.ESTALE);
    }
    return (int) Kernel.check(fd);
  }
}
