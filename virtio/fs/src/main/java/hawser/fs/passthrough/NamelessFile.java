package hawser.fs.passthrough;

import static hawser.sys.FileCalls.O_CLOEXEC;
import static hawser.sys.FileCalls.O_NOFOLLOW;
import static hawser.sys.FileCalls.O_PATH;
import static hawser.sys.FileCalls.O_RDWR;
import static hawser.sys.FileCalls.O_TMPFILE;

import hawser.base.BlockFault;
import hawser.fs.Name;
import hawser.fs.state.Location;
import hawser.fs.state.SavedAttribute;
import hawser.fs.state.SavedInode;
import hawser.sys.FileCalls;
import hawser.sys.PathCalls;
import hawser.sys.Statx;
import hawser.sys.XattrCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A file that has no name any more, made anew on this side of its journey. */
final class NamelessFile implements AutoCloseable {
  private static final byte[] DOT = {'.'};
  private static final int PERMISSIONS = 07777;
  private static final int OWNER_ONLY = 0600;

  private final Location.Embedded embedded;
  private final Descriptor descriptor;

  private NamelessFile(Location.Embedded embedded, int fd) {
    this.embedded = embedded;
    this.descriptor = new Descriptor(fd);
  }

  /** Makes it, empty yet and only for its owner. */
  static NamelessFile make(Inodes inodes, SavedInode inode, Location.Embedded embedded)
      throws BlockFault {
    Descriptor folder = inodes.hold(inodes.root());
    try {
      int fd =
          (embedded.mode() & Statx.TYPE) == Statx.REGULAR
              ? regular(folder.fd, inode)
              : special(folder.fd, inode, embedded);
      return new NamelessFile(embedded, fd);
    } finally {
      folder.release();
    }
  }

  private static int regular(int folder, SavedInode inode) throws BlockFault {
    long fd = PathCalls.openat(folder, DOT, O_TMPFILE | O_RDWR | O_CLOEXEC, OWNER_ONLY);
    if (fd >= 0) {
      return (int) fd;
    }
    byte[] name = passingName(inode);
    int flags = FileCalls.O_CREAT | FileCalls.O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW;
    fd = Kernel.check(PathCalls.openat(folder, name, flags, OWNER_ONLY));
    PathCalls.unlinkat(folder, name, 0);
    return (int) fd;
  }

  /** What is no regular file has a name for a moment. */
  private static int special(int folder, SavedInode inode, Location.Embedded embedded)
      throws BlockFault {
    byte[] name = passingName(inode);
    int type = embedded.mode() & Statx.TYPE;
    Kernel.check(
        switch (type) {
          case Statx.DIRECTORY -> PathCalls.mkdirat(folder, name, OWNER_ONLY);
          case Statx.SYMLINK -> PathCalls.symlinkat(embedded.target().bytes(), folder, name);
          default -> PathCalls.mknodat(folder, name, type | OWNER_ONLY, embedded.device());
        });
    long fd = PathCalls.openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
    PathCalls.unlinkat(folder, name, type == Statx.DIRECTORY ? PathCalls.AT_REMOVEDIR : 0);
    return (int) Kernel.check(fd);
  }

  private static byte[] passingName(SavedInode inode) {
    return Name.of(".hawser-arriving-" + Long.toHexString(inode.nodeId())).bytes();
  }

  void write(long offset, MemorySegment bytes) throws BlockFault {
    try (var arena = Arena.ofConfined()) {
      MemorySegment copy = arena.allocate(Math.max(1, bytes.byteSize()));
      MemorySegment.copy(bytes, 0, copy, 0, bytes.byteSize());
      long done = 0;
      while (done < bytes.byteSize()) {
        MemorySegment rest = copy.asSlice(done, bytes.byteSize() - done);
        done += Kernel.check(FileCalls.pwrite(descriptor.fd, rest, offset + done));
      }
    }
  }

  /** Sets an extended attribute; 0 or a negated error number. */
  long setAttribute(SavedAttribute attribute) {
    return XattrCalls.set(
        PathCalls.ofDescriptor(descriptor.fd),
        attribute.name().bytes(),
        attribute.value().bytes(),
        0);
  }

  /** Gives it the attributes that it had. */
  void complete() throws BlockFault {
    int fd = descriptor.fd;
    byte[] path = PathCalls.ofDescriptor(fd);
    if ((embedded.mode() & Statx.TYPE) == Statx.REGULAR) {
      Kernel.check(FileCalls.ftruncate(fd, embedded.size()));
    }
    Kernel.check(PathCalls.chown(fd, embedded.uid(), embedded.gid()));
    if ((embedded.mode() & Statx.TYPE) != Statx.SYMLINK) {
      Kernel.check(PathCalls.chmod(path, embedded.mode() & PERMISSIONS));
    }
    PathCalls.utimens(
        path,
        embedded.atimeSeconds(),
        embedded.atimeNanos(),
        embedded.mtimeSeconds(),
        embedded.mtimeNanos());
  }

  /** The inode that it is for the guest. */
  Inode toInode(SavedInode saved) throws BlockFault {
    var status = new Statx();
    Kernel.check(PathCalls.statx(descriptor.fd, status));
    var inode = new Inode(saved.nodeId(), FileId.of(status), status.type());
    boolean _ = descriptor.hold();
    inode.nameless = true;
    inode.descriptor = descriptor;
    return inode;
  }

  @Override
  public void close() {
    descriptor.release();
  }
}
