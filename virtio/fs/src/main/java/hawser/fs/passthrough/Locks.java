package hawser.fs.passthrough;

import hawser.base.Errno;
import hawser.fs.dispatch.Call;
import hawser.fs.fuse.FileLock;
import hawser.fs.fuse.FuseReply;
import hawser.fs.fuse.FuseRequest;
import hawser.sys.FileCalls;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Locks that the host and other guests see. A byte-range lock belongs to a process of the guest's,
 * so each of them that locks a file has an open file of its own on the host, for there locks belong
 * to open files (F_OFD_SETLK). A lock of flock(2) belongs to the guest's open file, and is one of
 * the host's.
 */
final class Locks {
  /** flock(2): shared, exclusive, none; and not to wait. */
  private static final int LOCK_SH = 1;

  private static final int LOCK_EX = 2;
  private static final int LOCK_NB = 4;
  private static final int LOCK_UN = 8;

  private static final long WAIT_NANOS_MIN = TimeUnit.MICROSECONDS.toNanos(200);
  private static final long WAIT_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(20);

  private final Inodes inodes;
  private final Map<Owner, Descriptor> owners = new HashMap<>();

  Locks(Share share) {
    this.inodes = share.inodes;
  }

  /** A process of the guest's, as far as one file is concerned. */
  private record Owner(long nodeId, long owner) {}

  /** The descriptor that an owner's locks belong to, held; opens one where there is none. */
  private Descriptor of(Inode inode, long owner) throws Refusal {
    var key = new Owner(inode.nodeId, owner);
    synchronized (this) {
      Descriptor open = owners.get(key);
      if (open != null && open.hold()) {
        return open;
      }
    }
    var opened = new Descriptor(openForLocks(inode));
    synchronized (this) {
      Descriptor earlier = owners.putIfAbsent(key, opened);
      if (earlier != null && earlier.hold()) {
        opened.release();
        return earlier;
      }
      boolean _ = opened.hold();
      return opened;
    }
  }

  private int openForLocks(Inode inode) throws Refusal {
    try {
      return inodes.openAgain(inode, FileCalls.O_RDWR);
    } catch (Refusal e) {
      return inodes.openAgain(inode, FileCalls.O_RDONLY);
    }
  }

  FuseReply get(OpenFile file, FuseRequest.Getlk request) throws Refusal {
    Descriptor held = of(file.inode(), request.owner());
    try {
      FileLock wanted = request.lock();
      FileCalls.HeldLock other =
          FileCalls.ofdLockInTheWay(held.fd, kind(wanted.type()), wanted.start(), length(wanted));
      if (other == null) {
        return new FuseReply.Locked(new FileLock(0, 0, FileLock.UNLOCK, 0));
      }
      long end = other.length() == 0 ? Long.MAX_VALUE : other.start() + other.length() - 1;
      int type = other.lock() == FileCalls.Lock.READ ? FileLock.READ : FileLock.WRITE;
      return new FuseReply.Locked(new FileLock(other.start(), end, type, 0));
    } finally {
      held.release();
    }
  }

  /** fcntl's length: 0 for all that follows. */
  private static long length(FileLock lock) {
    return lock.end() == Long.MAX_VALUE ? 0 : lock.end() - lock.start() + 1;
  }

  private static FileCalls.Lock kind(int type) throws Refusal {
    return switch (type) {
      case FileLock.READ -> FileCalls.Lock.READ;
      case FileLock.WRITE -> FileCalls.Lock.WRITE;
      case FileLock.UNLOCK -> FileCalls.Lock.NONE;
      default -> throw new Refusal(Errno.EINVAL);
    };
  }

  FuseReply set(Call call, OpenFile file, FuseRequest.Setlk request) throws Refusal {
    FileLock lock = request.lock();
    if ((request.flags() & FuseRequest.Setlk.FLOCK) != 0) {
      int operation = operation(kind(lock.type())) | LOCK_NB;
      await(call, request, file.descriptor(), fd -> FileCalls.flock(fd, operation));
      return new FuseReply.Done();
    }
    if (lock.start() < 0 || lock.end() < lock.start()) {
      throw new Refusal(Errno.EINVAL);
    }
    FileCalls.Lock kind = kind(lock.type());
    Descriptor own = of(file.inode(), request.owner());
    try {
      await(call, request, own, fd -> FileCalls.ofdLock(fd, kind, lock.start(), length(lock)));
    } finally {
      own.release();
    }
    return new FuseReply.Done();
  }

  private static int operation(FileCalls.Lock kind) {
    return switch (kind) {
      case READ -> LOCK_SH;
      case WRITE -> LOCK_EX;
      case NONE -> LOCK_UN;
    };
  }

  private interface Attempt {
    long on(int fd);
  }

  /**
   * Tries until it works, where the guest wants to wait: a call that blocked in the kernel could
   * not be interrupted.
   */
  private static void await(Call call, FuseRequest.Setlk request, Descriptor on, Attempt attempt)
      throws Refusal {
    if (!on.hold()) {
      throw new Refusal(Errno.EBADF);
    }
    try {
      long result = attempt.on(on.fd);
      long nanos = WAIT_NANOS_MIN;
      while (result == -Errno.EAGAIN.number() && request.waits()) {
        if (call.interrupted()) {
          throw new Refusal(Errno.EINTR);
        }
        LockSupport.parkNanos(nanos);
        nanos = Math.min(nanos * 2, WAIT_NANOS_MAX);
        result = attempt.on(on.fd);
      }
      Refusal.check(result);
    } finally {
      on.release();
    }
  }

  /** A process of the guest's has closed a file: its byte-range locks on it go. */
  void released(OpenFile file, long owner) {
    @Nullable Descriptor open;
    synchronized (this) {
      open = owners.remove(new Owner(file.inode().nodeId, owner));
    }
    if (open != null) {
      // Another request may hold it: the locks go now, not when that one ends.
      FileCalls.ofdLock(open.fd, FileCalls.Lock.NONE, 0, 0);
      open.release();
    }
  }

  /** The guest knows nothing any more. */
  synchronized void clear() {
    owners.values().forEach(Descriptor::release);
    owners.clear();
  }
}
