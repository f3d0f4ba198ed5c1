package hawser.fs.passthrough;

import static hawser.sys.FileCalls.O_CLOEXEC;
import static hawser.sys.FileCalls.O_PATH;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.fs.Name;
import hawser.sys.FileCalls;
import hawser.sys.PathCalls;
import hawser.sys.Statx;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/**
 * Inodes by whole paths below the shared folder, for a guest that comes or goes: while it works,
 * names are looked up one by one.
 */
final class Paths {
  private final Inodes inodes;

  Paths(Inodes inodes) {
    this.inodes = inodes;
  }

  /** The path from the shared folder to what a descriptor stands for; null when it is not there. */
  @Nullable Name pathInShare(Descriptor held) {
    Descriptor folder = inodes.held(inodes.root());
    if (folder == null) {
      return null;
    }
    try (var arena = Arena.ofConfined()) {
      byte[] above = path(folder, arena);
      byte[] path = path(held, arena);
      int start = above.length == 1 ? 1 : above.length + 1;
      boolean below =
          path.length > start
              && path[start - 1] == '/'
              && Arrays.equals(path, 0, above.length, above, 0, above.length);
      return below ? new Name(Arrays.copyOfRange(path, start, path.length)) : null;
    } finally {
      folder.release();
    }
  }

  private static byte[] path(Descriptor held, Arena arena) {
    MemorySegment room = arena.allocate(Name.PATH_BYTES_MAX);
    byte[] link = PathCalls.ofDescriptor(held.fd);
    long length = Math.max(0, PathCalls.readlinkat(PathCalls.AT_FDCWD, link, room));
    return room.asSlice(0, length).toArray(JAVA_BYTE);
  }

  /**
   * Remembers an inode at a path below the shared folder, if that leads to it.
   *
   * @return whether it does
   */
  boolean relocate(Inode inode, Name path, Statx status) throws BlockFault {
    Inode found = locate(path, 0, status);
    boolean same = found.id.equals(inode.id);
    if (same && found.directory != null && found.name != null) {
      inodes.moved(inode, found.directory, found.name);
    }
    return same;
  }

  /** An inode of this number for what lies at a path below the shared folder. */
  Inode locate(Name path, long nodeId, Statx status) throws BlockFault {
    Inode directory = inodes.root();
    Descriptor at = inodes.hold(inodes.root());
    try {
      for (Iterator<Name> names = path.components().iterator(); names.hasNext(); ) {
        Name name = names.next();
        if (!name.isComponent()) {
          throw Kernel.no(Errno.EINVAL);
        }
        int flags = PathCalls.AT_SYMLINK_NOFOLLOW;
        Kernel.check(PathCalls.statx(at.fd, name.bytes(), flags, status));
        if (!names.hasNext()) {
          var inode = new Inode(nodeId, FileId.of(status), status.type());
          inode.directory = directory;
          inode.name = name;
          return inode;
        }
        Inode next = inodes.onTheWay(status, directory, name);
        Descriptor below = inodes.hold(next);
        at.release();
        at = below;
        directory = next;
      }
      throw Kernel.no(Errno.EINVAL);
    } finally {
      at.release();
    }
  }

  /** Opens (O_PATH) what a file handle means on the mount that lies at a path below the share. */
  Descriptor openByHandle(Name mount, byte[] handle) throws BlockFault {
    Descriptor folder = inodes.hold(inodes.root());
    try {
      long resolve = PathCalls.RESOLVE_BENEATH | PathCalls.RESOLVE_NO_SYMLINKS;
      byte[] path = mount.length() == 0 ? new byte[] {'.'} : mount.bytes();
      int on = (int) Kernel.check(PathCalls.openat2(folder.fd, path, O_CLOEXEC, resolve));
      try {
        long fd = PathCalls.openByHandle(on, handle, O_PATH | O_CLOEXEC);
        return new Descriptor((int) Kernel.check(fd));
      } finally {
        FileCalls.close(on);
      }
    } finally {
      folder.release();
    }
  }

  /** Where an inode was seen last, for people. */
  String describe(Inode inode) {
    synchronized (inodes) {
      var names = new ArrayDeque<String>();
      Inode at = inode;
      // What is remembered may go in circles, as in reopen.
      for (int i = 0; i < Inodes.DEPTH_MAX && at != null && at.name != null; i++) {
        names.push(at.name.toString());
        at = at.directory;
      }
      return String.join("/", names);
    }
  }
}
