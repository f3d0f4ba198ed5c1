package hawser.fs.passthrough;

import static hawser.sys.FileCalls.O_ACCMODE;
import static hawser.sys.FileCalls.O_APPEND;
import static hawser.sys.FileCalls.O_CLOEXEC;
import static hawser.sys.FileCalls.O_CREAT;
import static hawser.sys.FileCalls.O_DIRECT;
import static hawser.sys.FileCalls.O_EXCL;
import static hawser.sys.FileCalls.O_NOATIME;
import static hawser.sys.FileCalls.O_NOFOLLOW;
import static hawser.sys.FileCalls.O_RDWR;
import static hawser.sys.FileCalls.O_TMPFILE;
import static hawser.sys.FileCalls.O_TRUNC;
import static hawser.sys.FileCalls.O_WRONLY;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.fs.Name;
import hawser.fs.dispatch.Call;
import hawser.fs.fuse.Entry;
import hawser.fs.fuse.FuseReply;
import hawser.fs.fuse.FuseRequest;
import hawser.fs.fuse.InitFlag;
import hawser.fs.fuse.OpenOut;
import hawser.fs.fuse.TransferIn;
import hawser.sys.FileCalls;
import hawser.sys.Iovecs;
import hawser.sys.PathCalls;
import hawser.sys.Statx;

/** Operations on open files. */
final class Files {
  private final Share share;
  private final Inodes inodes;
  private final Xattrs xattrs;
  private final Locks locks;
  private final Appends appends;

  Files(Share share, Xattrs xattrs, Locks locks) {
    this.share = share;
    this.inodes = share.inodes;
    this.xattrs = xattrs;
    this.locks = locks;
    this.appends = new Appends(share);
  }

  /**
   * The flags to open with on the host. A guest that collects writes reads pages that it writes to
   * in part, and knows where the end is, so that the host must not append.
   */
  int hostFlags(int flags) {
    int wanted = flags & ~(O_CREAT | O_EXCL);
    if (InitFlag.WRITEBACK_CACHE.in(share.agreed)) {
      if ((wanted & O_ACCMODE) == O_WRONLY) {
        wanted = (wanted & ~O_ACCMODE) | O_RDWR;
      }
      wanted &= ~O_APPEND;
    }
    if (!share.options.allowDirectIo()) {
      wanted &= ~O_DIRECT;
    }
    if (!share.options.preserveNoatime()) {
      wanted &= ~O_NOATIME;
    }
    return wanted;
  }

  /** What the guest may ask for again, for the file that is open from now on. */
  private static int kept(int flags) {
    return flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_TMPFILE);
  }

  /** The flags to open with again what another daemon had open; they are a stranger's. */
  int reopeningFlags(int flags) {
    return hostFlags(kept(flags));
  }

  private OpenOut opened(Inode inode, int flags, int fd) {
    OpenFile file = share.opened(inode, kept(flags), fd);
    return new OpenOut(file.handle(), share.options.cache().fileFlags);
  }

  FuseReply open(Call call, FuseRequest.Open request) throws BlockFault {
    Inode inode = inodes.get(call.header().nodeId());
    if (inode.type != Statx.REGULAR) {
      // The guest's kernel serves devices, pipes and sockets itself; to open one here may block.
      throw Kernel.no(inode.type == Statx.SYMLINK ? Errno.ELOOP : Errno.EBADF);
    }
    boolean takeSetIds = (request.openFlags() & FuseRequest.Open.KILL_SUIDGID) != 0;
    int fd = openAgain(inode, hostFlags(request.flags()), takeSetIds);
    return new FuseReply.Opened(opened(inode, request.flags(), fd));
  }

  private int openAgain(Inode inode, int flags, boolean takeSetIds) throws BlockFault {
    return takeSetIds
        ? (int) Kernel.check(Credentials.withoutSetIds(() -> result(inode, flags)))
        : inodes.openAgain(inode, flags);
  }

  private long result(Inode inode, int flags) {
    try {
      return inodes.openAgain(inode, flags);
    } catch (BlockFault e) {
      return -e.errno().number();
    }
  }

  FuseReply create(Call call, FuseRequest.Create request) throws BlockFault {
    Name name = request.name();
    if (!name.isComponent()) {
      throw Kernel.no(Errno.EINVAL);
    }
    Inode directory = inodes.get(call.header().nodeId());
    Descriptor held = inodes.hold(directory);
    try {
      if (share.hasMade(held, name)) {
        return openExisting(held, directory, request);
      }
      int flags = hostFlags(request.flags()) | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
      long fd =
          share.as(
              call.header(),
              request.extensions().group(),
              () ->
                  share.masked(
                      request.umask(),
                      () -> openMakingRoom(held.fd, name.bytes(), flags, request.mode())));
      if (fd == -Errno.EEXIST.number() && (request.flags() & O_EXCL) == 0) {
        return openExisting(held, directory, request);
      }
      return created(directory, name, request.flags(), (int) Kernel.check(fd), request);
    } finally {
      held.release();
    }
  }

  private long openMakingRoom(int directory, byte[] name, int flags, int mode) {
    long fd = PathCalls.openat(directory, name, flags, mode & ~Statx.TYPE);
    if (fd == -Errno.EMFILE.number() || fd == -Errno.ENFILE.number()) {
      inodes.makeRoom(1);
      fd = PathCalls.openat(directory, name, flags, mode & ~Statx.TYPE);
    }
    return fd;
  }

  private FuseReply created(
      Inode directory, Name name, int flags, int fd, FuseRequest.Create request) throws BlockFault {
    Statx status = Share.room();
    long result = PathCalls.statx(fd, status);
    if (result < 0) {
      FileCalls.close(fd);
      throw Kernel.no(result);
    }
    Inode inode;
    try {
      inode = inodes.found(status, inodes.handles.of(fd, PathCalls.EMPTY), directory, name);
    } catch (BlockFault e) {
      FileCalls.close(fd);
      throw e;
    }
    Entry entry = share.entry(inode, status);
    OpenOut open = opened(inode, flags, fd);
    xattrs.label(inode, request.extensions());
    return new FuseReply.Created(entry, open);
  }

  private FuseReply openExisting(Descriptor held, Inode directory, FuseRequest.Create request)
      throws BlockFault {
    Statx status = Share.room();
    byte[] name = request.name().bytes();
    Kernel.check(PathCalls.statx(held.fd, name, PathCalls.AT_SYMLINK_NOFOLLOW, status));
    if (status.type() != Statx.REGULAR) {
      throw Kernel.no(status.type() == Statx.SYMLINK ? Errno.ELOOP : Errno.EEXIST);
    }
    byte[] handle = inodes.handles.of(held.fd, name);
    Inode inode = inodes.found(status, handle, directory, request.name());
    boolean opened = false;
    try {
      boolean takeSetIds = (request.openFlags() & FuseRequest.Open.KILL_SUIDGID) != 0;
      int fd = openAgain(inode, hostFlags(request.flags()), takeSetIds);
      OpenOut open = opened(inode, request.flags(), fd);
      // Once more, for O_TRUNC has cut it.
      Kernel.check(PathCalls.statx(fd, status));
      var reply = new FuseReply.Created(share.entry(inode, status), open);
      opened = true;
      return reply;
    } finally {
      if (!opened) {
        inodes.forget(inode.nodeId, 1);
      }
    }
  }

  FuseReply tmpfile(Call call, FuseRequest.Tmpfile request) throws BlockFault {
    Inode directory = inodes.get(call.header().nodeId());
    int flags = (hostFlags(request.flags()) & ~O_TRUNC) | O_TMPFILE | O_CLOEXEC;
    // A directory is opened anew: O_TMPFILE wants a name, and the dot is the one it has for sure.
    Descriptor held = inodes.hold(directory);
    try {
      int fd =
          (int)
              Kernel.check(
                  share.as(
                      call.header(),
                      request.extensions().group(),
                      () ->
                          share.masked(
                              request.umask(),
                              () -> openMakingRoom(held.fd, DOT, flags, request.mode()))));
      Statx status = Share.room();
      long result = PathCalls.statx(fd, status);
      if (result < 0) {
        FileCalls.close(fd);
        throw Kernel.no(result);
      }
      Inode inode = inodes.foundNameless(status, directory);
      Entry entry = share.entry(inode, status);
      OpenOut open = opened(inode, request.flags(), fd);
      try {
        // Once that is closed, nothing else would lead to the file.
        Descriptor apart = inodes.holdApart(inode);
        share.journal.kept(inode, apart);
        apart.release();
      } catch (BlockFault e) {
        share.close(open.handle());
        inodes.forget(inode.nodeId, 1);
        throw e;
      }
      return new FuseReply.Created(entry, open);
    } finally {
      held.release();
    }
  }

  private static final byte[] DOT = {'.'};

  long read(long handle, long offset, Iovecs into, boolean mayWait) {
    OpenFile file = share.files.get(handle);
    if (file == null || !file.descriptor().hold()) {
      return -Errno.EBADF.number();
    }
    try {
      return readAll(file.descriptor().fd, offset, into, mayWait ? 0 : FileCalls.RWF_NOWAIT);
    } finally {
      file.descriptor().release();
    }
  }

  /** Goes on after a read that came short of what was asked, until the end of the file. */
  private static long readAll(int fd, long offset, Iovecs into, int how) {
    long done = 0;
    int flags = how;
    do {
      long last = FileCalls.preadv2(fd, into, offset + done, flags);
      if (last == -Errno.EOPNOTSUPP.number() && flags != 0) {
        // Such as tmpfs, which does not know how to, nor waits.
        flags = 0;
        continue;
      }
      if (last <= 0) {
        boolean partly = done > 0 && flags == 0;
        return last == 0 || partly ? done : last;
      }
      done += last;
      into.consume(last);
    } while (into.count() > 0);
    return done;
  }

  long write(long unique, long handle, long offset, int flags, Iovecs from) {
    OpenFile file = share.files.get(handle);
    if (file == null || !file.descriptor().hold()) {
      return -Errno.EBADF.number();
    }
    try {
      int fd = file.descriptor().fd;
      if (appends.areTo(file)) {
        long before = appends.alreadyWritten(unique, file, from);
        from.consume(Math.max(0, before));
        if (before < 0 || from.count() == 0) {
          return before;
        }
        long after = write(fd, offset, flags, from);
        return after < 0 && before > 0 ? before : before + after;
      }
      return write(fd, offset, flags, from);
    } finally {
      file.descriptor().release();
    }
  }

  private static long write(int fd, long offset, int flags, Iovecs from) {
    return (flags & TransferIn.KILL_SUIDGID) == 0
        ? writeAll(fd, offset, from)
        : Credentials.withoutSetIds(() -> writeAll(fd, offset, from));
  }

  private static long writeAll(int fd, long offset, Iovecs from) {
    long done = 0;
    do {
      long last = FileCalls.pwritev2(fd, from, offset + done, 0);
      if (last <= 0) {
        return done > 0 ? done : last;
      }
      done += last;
      from.consume(last);
    } while (from.count() > 0);
    return done;
  }

  FuseReply release(FuseRequest.Release request) throws BlockFault {
    if (!share.hasClosed()) {
      OpenFile file = share.file(request.handle());
      locks.released(file, request.lockOwner());
      locks.closed(file);
      share.close(request.handle());
    }
    return new FuseReply.Done();
  }

  FuseReply flush(FuseRequest.Flush request) throws BlockFault {
    OpenFile file = share.file(request.handle());
    locks.released(file, request.lockOwner());
    return new FuseReply.Done();
  }

  FuseReply fsync(long handle, boolean dataOnly) throws BlockFault {
    return on(handle, fd -> dataOnly ? FileCalls.fdatasync(fd) : FileCalls.fsync(fd));
  }

  FuseReply fallocate(FuseRequest.Fallocate request) throws BlockFault {
    return on(
        request.handle(),
        fd -> FileCalls.fallocate(fd, request.mode(), request.offset(), request.length()));
  }

  /** A system call on an open file, for no more than whether it works. */
  private interface OnDescriptor {
    long call(int fd);
  }

  private FuseReply on(long handle, OnDescriptor action) throws BlockFault {
    Descriptor descriptor = held(handle);
    try {
      Kernel.check(action.call(descriptor.fd));
      return new FuseReply.Done();
    } finally {
      descriptor.release();
    }
  }

  private Descriptor held(long handle) throws BlockFault {
    Descriptor descriptor = share.file(handle).descriptor();
    if (!descriptor.hold()) {
      throw Kernel.no(Errno.EBADF);
    }
    return descriptor;
  }

  FuseReply lseek(FuseRequest.Lseek request) throws BlockFault {
    Descriptor descriptor = held(request.handle());
    try {
      long offset = FileCalls.lseek(descriptor.fd, request.offset(), request.whence());
      return new FuseReply.Position(Kernel.check(offset));
    } finally {
      descriptor.release();
    }
  }

  FuseReply copyFileRange(FuseRequest.CopyFileRange request) throws BlockFault {
    if (request.flags() != 0) {
      throw Kernel.no(Errno.EINVAL);
    }
    Descriptor from = held(request.handleIn());
    try {
      Descriptor to = held(request.handleOut());
      try {
        // The answer's count has 32 bits.
        long length = Math.min(request.length(), Integer.MAX_VALUE & -4096L);
        long copied =
            FileCalls.copyFileRange(
                from.fd, request.offsetIn(), to.fd, request.offsetOut(), length);
        return new FuseReply.Count((int) Kernel.check(copied));
      } finally {
        to.release();
      }
    } finally {
      from.release();
    }
  }
}
