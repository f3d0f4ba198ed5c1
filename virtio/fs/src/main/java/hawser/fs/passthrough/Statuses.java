package hawser.fs.passthrough;

import static hawser.sys.FileCalls.O_RDWR;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.fs.dispatch.Call;
import hawser.fs.fuse.FuseReply;
import hawser.fs.fuse.FuseRequest;
import hawser.fs.fuse.FuseRequest.Setattr;
import hawser.fs.fuse.RequestHeader;
import hawser.fs.fuse.StatxAttributes;
import hawser.fs.fuse.Time;
import hawser.sys.FileCalls;
import hawser.sys.PathCalls;
import hawser.sys.Statx;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Operations on inodes' attributes. */
final class Statuses {
  private static final int STATFS_BYTES = 120;
  private static final int ACCESS_READ = 4;
  private static final int ACCESS_WRITE = 2;
  private static final int ACCESS_EXECUTE = 1;
  private static final int EXECUTABLE_BY_ANY = 0111;

  private final Share share;
  private final Inodes inodes;

  Statuses(Share share) {
    this.share = share;
    this.inodes = share.inodes;
  }

  private @Nullable OpenFile file(boolean given, long handle) throws BlockFault {
    return given ? share.file(handle) : null;
  }

  private void status(Inode inode, @Nullable OpenFile file, Statx into) throws BlockFault {
    if (file != null && file.descriptor().hold()) {
      try {
        Kernel.check(PathCalls.statx(file.descriptor().fd, into));
      } finally {
        file.descriptor().release();
      }
    } else {
      inodes.status(inode, into);
    }
  }

  FuseReply getattr(RequestHeader who, FuseRequest.Getattr request) throws BlockFault {
    Inode inode = inodes.get(who.nodeId());
    boolean open = (request.flags() & FuseRequest.Getattr.FH) != 0;
    return answer(inode, file(open, request.handle()));
  }

  private FuseReply answer(Inode inode, @Nullable OpenFile file) throws BlockFault {
    Statx status = Share.room();
    status(inode, file, status);
    return new FuseReply.Status(share.attributes(inode, status), share.options.cache().valid());
  }

  FuseReply statx(RequestHeader who, FuseRequest.Statx request) throws BlockFault {
    Inode inode = inodes.get(who.nodeId());
    boolean open = (request.flags() & FuseRequest.Getattr.FH) != 0;
    Statx status = Share.room();
    status(inode, file(open, request.handle()), status);
    var attributes =
        new StatxAttributes(
            status.mask() & (Statx.BASIC_STATS | Statx.BTIME),
            share.attributes(inode, status),
            status.attributes(),
            status.attributesMask(),
            new Time(status.btimeSeconds(), status.btimeNanos()),
            status.device());
    return new FuseReply.ExtendedStatus(attributes, share.options.cache().valid());
  }

  FuseReply setattr(RequestHeader who, Setattr request) throws BlockFault {
    Inode inode = inodes.get(who.nodeId());
    OpenFile file = file(request.sets(Setattr.FH), request.handle());
    Descriptor held = inodes.hold(inode);
    try {
      byte[] path = PathCalls.ofDescriptor(held.fd);
      if (request.sets(Setattr.MODE)) {
        if (inode.type == Statx.SYMLINK) {
          throw Kernel.no(Errno.EOPNOTSUPP);
        }
        Kernel.check(PathCalls.chmod(path, request.mode() & ~Statx.TYPE));
      }
      if (request.sets(Setattr.UID | Setattr.GID)) {
        int uid = request.sets(Setattr.UID) ? share.userOnHost(request.uid()) : -1;
        int gid = request.sets(Setattr.GID) ? share.groupOnHost(request.gid()) : -1;
        Kernel.check(PathCalls.chown(held.fd, uid, gid));
      }
      if (request.sets(Setattr.SIZE)) {
        cut(inode, file, request);
      }
      if (request.sets(Setattr.ATIME | Setattr.MTIME)) {
        setTimes(path, request);
      }
    } finally {
      held.release();
    }
    return answer(inode, file);
  }

  private void cut(Inode inode, @Nullable OpenFile file, Setattr request) throws BlockFault {
    if (file != null && file.descriptor().hold()) {
      try {
        cut(file.descriptor().fd, request);
      } finally {
        file.descriptor().release();
      }
      return;
    }
    if (inode.type != Statx.REGULAR) {
      throw Kernel.no(inode.type == Statx.DIRECTORY ? Errno.EISDIR : Errno.EINVAL);
    }
    int fd = inodes.openAgain(inode, O_RDWR | FileCalls.O_NONBLOCK);
    try {
      cut(fd, request);
    } finally {
      FileCalls.close(fd);
    }
  }

  private static void cut(int fd, Setattr request) throws BlockFault {
    long size = request.size();
    Kernel.check(
        request.sets(Setattr.KILL_SUIDGID)
            ? Credentials.withoutSetIds(() -> FileCalls.ftruncate(fd, size))
            : FileCalls.ftruncate(fd, size));
  }

  private static void setTimes(byte[] path, Setattr request) throws BlockFault {
    long atime = nanos(request, Setattr.ATIME, Setattr.ATIME_NOW, request.atime());
    long mtime = nanos(request, Setattr.MTIME, Setattr.MTIME_NOW, request.mtime());
    Kernel.check(
        PathCalls.utimens(
            path, request.atime().seconds(), atime, request.mtime().seconds(), mtime));
  }

  private static long nanos(Setattr request, int set, int now, Time time) {
    if (!request.sets(set)) {
      return PathCalls.UTIME_OMIT;
    }
    return request.sets(now) ? PathCalls.UTIME_NOW : time.nanos();
  }

  FuseReply access(RequestHeader who, FuseRequest.Access request) throws BlockFault {
    Inode inode = inodes.get(who.nodeId());
    Statx status = Share.room();
    inodes.status(inode, status);
    int mode = status.mode();
    int wanted = request.mask() & (ACCESS_READ | ACCESS_WRITE | ACCESS_EXECUTE);
    int granted;
    if (who.uid() == 0) {
      boolean executable = inode.type == Statx.DIRECTORY || (mode & EXECUTABLE_BY_ANY) != 0;
      granted = ACCESS_READ | ACCESS_WRITE | (executable ? ACCESS_EXECUTE : 0);
    } else if (who.uid() == share.options.translation().users().inGuest(status.uid())) {
      granted = mode >> 6;
    } else if (who.gid() == share.options.translation().groups().inGuest(status.gid())) {
      granted = mode >> 3;
    } else {
      granted = mode;
    }
    if ((wanted & ~granted) != 0) {
      throw Kernel.no(Errno.EACCES);
    }
    return new FuseReply.Done();
  }

  FuseReply statfs(Call call) throws BlockFault {
    Inode inode = inodes.get(call.header().nodeId());
    Descriptor held = inodes.hold(inode);
    try {
      MemorySegment statfs = call.room().asSlice(0, STATFS_BYTES);
      Kernel.check(FileCalls.fstatfs(held.fd, statfs));
      return new FuseReply.Space(
          statfs.get(JAVA_LONG, 16),
          statfs.get(JAVA_LONG, 24),
          statfs.get(JAVA_LONG, 32),
          statfs.get(JAVA_LONG, 40),
          statfs.get(JAVA_LONG, 48),
          (int) statfs.get(JAVA_LONG, 8),
          (int) statfs.get(JAVA_LONG, 64),
          (int) statfs.get(JAVA_LONG, 72));
    } finally {
      held.release();
    }
  }

  /** Everything of the file system that the share lies on reaches its disk. */
  FuseReply syncfs(RequestHeader who) throws BlockFault {
    int fd = inodes.openAgain(inodes.get(who.nodeId()), FileCalls.O_RDONLY);
    try {
      Kernel.check(FileCalls.syncfs(fd));
      return new FuseReply.Done();
    } finally {
      FileCalls.close(fd);
    }
  }
}
