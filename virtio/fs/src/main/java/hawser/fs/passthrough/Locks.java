package hawser.fs.passthrough;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.fs.dispatch.Call;
import hawser.fs.fuse.FileLock;
import hawser.fs.fuse.FuseReply;
import hawser.fs.fuse.FuseRequest;
import hawser.fs.journal.Change;
import hawser.fs.state.SavedLock;
import hawser.sys.FileCalls;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
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

  private final Share share;
  private final Inodes inodes;
  private final Map<Owner, Held> owners = new HashMap<>();

  /** By handle: whether the lock on the whole file is exclusive. */
  private final Map<Long, Boolean> whole = new HashMap<>();

  /** The host has been told that the locks are free, for another daemon takes them over. */
  private boolean givenUp;

  Locks(Share share) {
    this.share = share;
    this.inodes = share.inodes;
  }

  /** A process of the guest's, as far as one file is concerned. */
  private record Owner(long nodeId, long owner) {}

  /** What its locks belong to on the host, and which they are; the ranges are guarded by this. */
  private record Held(Owner owner, Descriptor descriptor, LockRanges ranges) {}

  /** What an owner's locks belong to, its descriptor held; opens one where there is none. */
  private Held of(Inode inode, long owner) throws BlockFault {
    var key = new Owner(inode.nodeId, owner);
    synchronized (this) {
      Held known = owners.get(key);
      if (known != null && known.descriptor().hold()) {
        return known;
      }
    }
    var opened = new Held(key, new Descriptor(openForLocks(inode)), new LockRanges());
    synchronized (this) {
      Held earlier = owners.putIfAbsent(key, opened);
      if (earlier != null && earlier.descriptor().hold()) {
        opened.descriptor().release();
        return earlier;
      }
      share.journal.locking(inode.nodeId, owner, opened.descriptor());
      boolean _ = opened.descriptor().hold();
      return opened;
    }
  }

  private int openForLocks(Inode inode) throws BlockFault {
    try {
      return inodes.openAgain(inode, FileCalls.O_RDWR);
    } catch (BlockFault e) {
      return inodes.openAgain(inode, FileCalls.O_RDONLY);
    }
  }

  FuseReply get(OpenFile file, FuseRequest.Getlk request) throws BlockFault {
    Descriptor held = of(file.inode(), request.owner()).descriptor();
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

  private static FileCalls.Lock kind(int type) throws BlockFault {
    return switch (type) {
      case FileLock.READ -> FileCalls.Lock.READ;
      case FileLock.WRITE -> FileCalls.Lock.WRITE;
      case FileLock.UNLOCK -> FileCalls.Lock.NONE;
      default -> throw Kernel.no(Errno.EINVAL);
    };
  }

  FuseReply set(Call call, OpenFile file, FuseRequest.Setlk request) throws BlockFault {
    FileLock lock = request.lock();
    FileCalls.Lock kind = kind(lock.type());
    if ((request.flags() & FuseRequest.Setlk.FLOCK) != 0) {
      int operation = operation(kind) | LOCK_NB;
      await(call, request, file.descriptor(), fd -> FileCalls.flock(fd, operation));
      remember(file.handle(), kind);
      return new FuseReply.Done();
    }
    if (lock.start() < 0 || lock.end() < lock.start()) {
      throw Kernel.no(Errno.EINVAL);
    }
    Held own = of(file.inode(), request.owner());
    try {
      await(
          call,
          request,
          own.descriptor(),
          fd -> FileCalls.ofdLock(fd, kind, lock.start(), length(lock)));
      remember(own, kind, lock);
    } finally {
      own.descriptor().release();
    }
    return new FuseReply.Done();
  }

  private synchronized void remember(long handle, FileCalls.Lock kind) {
    if (kind == FileCalls.Lock.NONE) {
      whole.remove(handle);
      share.journal.record(new Change.UnlockedWhole(handle));
    } else {
      boolean exclusive = kind == FileCalls.Lock.WRITE;
      whole.put(handle, exclusive);
      share.journal.record(new Change.Locked(new SavedLock.Whole(handle, exclusive)));
    }
  }

  private synchronized void remember(Held own, FileCalls.Lock kind, FileLock lock) {
    Owner who = own.owner();
    if (kind == FileCalls.Lock.NONE) {
      own.ranges().unlock(lock.start(), lock.end());
      share.journal.record(
          new Change.Unlocked(who.nodeId(), who.owner(), lock.start(), lock.end()));
    } else {
      boolean exclusive = kind == FileCalls.Lock.WRITE;
      own.ranges().lock(lock.start(), lock.end(), exclusive);
      share.journal.record(
          new Change.Locked(
              new SavedLock.Range(who.nodeId(), who.owner(), exclusive, lock.start(), lock.end())));
    }
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
      throws BlockFault {
    if (!on.hold()) {
      throw Kernel.no(Errno.EBADF);
    }
    try {
      long result = attempt.on(on.fd);
      long nanos = WAIT_NANOS_MIN;
      while (result == -Errno.EAGAIN.number() && request.waits()) {
        if (call.interrupted()) {
          throw Kernel.no(Errno.EINTR);
        }
        LockSupport.parkNanos(nanos);
        nanos = Math.min(nanos * 2, WAIT_NANOS_MAX);
        result = attempt.on(on.fd);
      }
      Kernel.check(result);
    } finally {
      on.release();
    }
  }

  /** A process of the guest's has closed a file: its byte-range locks on it go. */
  void released(OpenFile file, long owner) {
    @Nullable Held held;
    synchronized (this) {
      held = owners.remove(new Owner(file.inode().nodeId, owner));
      if (held != null) {
        share.journal.record(new Change.Released(file.inode().nodeId, owner));
      }
    }
    if (held != null) {
      // Another request may hold it: the locks go now, not when that one ends.
      FileCalls.ofdLock(held.descriptor().fd, FileCalls.Lock.NONE, 0, 0);
      held.descriptor().release();
    }
  }

  /** An open file is closed, and its lock goes. */
  synchronized void closed(OpenFile file) {
    whole.remove(file.handle());
  }

  /** A predecessor has left what a process of the guest's has its locks on a file by. */
  synchronized void inherited(Change.Locking locking, Descriptor left) {
    var owner = new Owner(locking.nodeId(), locking.owner());
    owners.put(owner, new Held(owner, left, new LockRanges()));
    // They are taken again when the guest goes on, for they may have been given up for a journey.
    givenUp = true;
  }

  /** A predecessor has taken a lock, which is in force. */
  synchronized void inherited(SavedLock lock) {
    givenUp = true;
    switch (lock) {
      case SavedLock.Whole(long handle, boolean exclusive) -> whole.put(handle, exclusive);
      case SavedLock.Range range -> {
        Held own = owners.get(new Owner(range.nodeId(), range.owner()));
        if (own != null) {
          own.ranges().lock(range.start(), range.end(), range.exclusive());
        }
      }
    }
  }

  /** A predecessor has given a lock back. */
  synchronized void inherited(Change.Unlocked unlocked) {
    Held own = owners.get(new Owner(unlocked.nodeId(), unlocked.owner()));
    if (own != null) {
      own.ranges().unlock(unlocked.start(), unlocked.end());
    }
  }

  /** A predecessor has given a lock on a whole file back, or closed it. */
  synchronized void unlocked(long handle) {
    whole.remove(handle);
  }

  /** A predecessor has given back all locks of a process on a file. */
  synchronized void inherited(Change.Released released) {
    Held own = owners.remove(new Owner(released.nodeId(), released.owner()));
    if (own != null) {
      own.descriptor().release();
    }
  }

  /** Tells what each process has its locks by, and the locks. */
  synchronized void tell(Consumer<Change> to) {
    owners.forEach(
        (owner, held) ->
            to.accept(
                new Change.Locking(
                    owner.nodeId(), owner.owner(), share.journal.keep(held.descriptor()))));
    all().forEach(lock -> to.accept(new Change.Locked(lock)));
  }

  /** All locks that the guest holds. */
  synchronized List<SavedLock> all() {
    var all = new ArrayList<SavedLock>();
    owners.forEach(
        (owner, held) ->
            held.ranges()
                .ranges()
                .forEach(
                    range ->
                        all.add(
                            new SavedLock.Range(
                                owner.nodeId(),
                                owner.owner(),
                                range.exclusive(),
                                range.start(),
                                range.end()))));
    whole.forEach((handle, exclusive) -> all.add(new SavedLock.Whole(handle, exclusive)));
    return all;
  }

  /** Frees all locks on the host, without forgetting them. */
  synchronized void giveUp() {
    givenUp = true;
    owners
        .values()
        .forEach(held -> FileCalls.ofdLock(held.descriptor().fd, FileCalls.Lock.NONE, 0, 0));
    whole.keySet().forEach(handle -> lockWhole(handle, LOCK_UN));
  }

  private long lockWhole(long handle, int operation) {
    OpenFile file = share.files.get(handle);
    if (file == null || !file.descriptor().hold()) {
      return -Errno.EBADF.number();
    }
    try {
      return FileCalls.flock(file.descriptor().fd, operation | LOCK_NB);
    } finally {
      file.descriptor().release();
    }
  }

  /** Takes what {@link #giveUp} freed; answers the locks that somebody else has taken meanwhile. */
  List<SavedLock> takeBack() {
    synchronized (this) {
      if (!givenUp) {
        return List.of();
      }
      givenUp = false;
    }
    var lost = new ArrayList<SavedLock>();
    for (SavedLock lock : all()) {
      if (!take(lock)) {
        lost.add(lock);
      }
    }
    return lost;
  }

  /** Takes a lock for the guest that holds it already, as far as it knows; whether that worked. */
  boolean take(SavedLock lock) {
    return switch (lock) {
      case SavedLock.Range range -> take(range);
      case SavedLock.Whole(long handle, boolean exclusive) -> {
        FileCalls.Lock kind = kind(exclusive);
        boolean taken = lockWhole(handle, operation(kind)) == 0;
        if (taken) {
          remember(handle, kind);
        }
        yield taken;
      }
    };
  }

  private boolean take(SavedLock.Range range) {
    try {
      Held own = of(inodes.get(range.nodeId()), range.owner());
      try {
        FileCalls.Lock kind = kind(range.exclusive());
        var lock = new FileLock(range.start(), range.end(), FileLock.READ, 0);
        int fd = own.descriptor().fd;
        if (FileCalls.ofdLock(fd, kind, range.start(), length(lock)) < 0) {
          return false;
        }
        remember(own, kind, lock);
        return true;
      } finally {
        own.descriptor().release();
      }
    } catch (BlockFault e) {
      return false;
    }
  }

  private static FileCalls.Lock kind(boolean exclusive) {
    return exclusive ? FileCalls.Lock.WRITE : FileCalls.Lock.READ;
  }

  /** The guest knows nothing any more. */
  synchronized void clear() {
    owners.values().forEach(held -> held.descriptor().release());
    owners.clear();
    whole.clear();
    givenUp = false;
  }
}
