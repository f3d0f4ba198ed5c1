package hawser.fs.passthrough;

import hawser.base.BlockFault;
import hawser.fs.journal.Attempt;
import hawser.fs.journal.Attempts;
import hawser.fs.journal.Change;
import hawser.fs.journal.DescriptorStore;
import hawser.fs.journal.JournalFile;
import hawser.fs.state.Identity;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Writes down what the guest knows, as it changes, where a successor finds it when this process is
 * killed. Without anybody who keeps it, nothing is written. Safe from any thread; whoever records a
 * change holds the lock that guards what changes, so that the journal has the same order.
 */
final class Journal {
  /** The journal itself among the descriptors that are kept. */
  static final long JOURNAL_KEY = DescriptorStore.FIRST_KEY;

  /** The shared folder. */
  static final long ROOT_KEY = JOURNAL_KEY + 1;

  /** A journal is begun anew when it has so many bytes, and three times those it began with. */
  private static final long BYTES_MIN = 4 << 20;

  private static final int GROWTH = 3;

  private final @Nullable DescriptorStore store;
  private final Consumer<String> log;
  private final Attempts attempts = new Attempts();
  private final ThreadLocal<Request> request = ThreadLocal.withInitial(Request::new);
  private @Nullable JournalFile file;
  private final AtomicLong nextKey = new AtomicLong(ROOT_KEY + 1);
  private long anewAt;
  private boolean beginningAnew;

  /** What the calling thread serves. */
  private static final class Request {
    long unique;
    @Nullable Attempt earlier;
    boolean takesBack;
  }

  /**
   * For a share; nothing is written before {@link #begin}.
   *
   * @param store null to write nothing, ever
   * @param log takes a line when nothing can be written any more
   */
  Journal(@Nullable DescriptorStore store, Consumer<String> log) {
    this.store = store;
    this.log = log;
  }

  /** Whether changes are written at all. */
  boolean isOn() {
    return store != null;
  }

  /** The calling thread serves a request from now on. */
  void serves(long unique) {
    Request now = request.get();
    now.unique = unique;
    now.earlier = attempts.earlier(unique);
  }

  /** What a daemon that died has done for the request that the calling thread serves, or null. */
  @Nullable Attempt earlier() {
    return isOn() ? request.get().earlier : null;
  }

  /** The number of the request that the calling thread serves. */
  private long unique() {
    return request.get().unique;
  }

  /** An inode is told, once more. */
  void found(Inode inode) {
    if (isOn()) {
      Inode directory = inode.directory;
      if (directory == null || inode.name == null) {
        throw new AssertionError("found nowhere: " + inode.nodeId);
      }
      record(
          new Change.Found(
              unique(),
              inode.nodeId,
              inode.id.identity(),
              inode.type,
              directory.nodeId,
              inode.name,
              inode.nameless));
    }
  }

  void forgotten(long nodeId, long lookups) {
    if (isOn()) {
      record(new Change.Forgotten(unique(), nodeId, lookups));
    }
  }

  /** Keeps the descriptor of a file, which is open from now on. */
  void opened(OpenFile file) {
    if (isOn()) {
      long key = keep(file.descriptor());
      long nodeId = file.inode().nodeId;
      record(new Change.Opened(unique(), file.handle(), nodeId, file.flags(), key));
    }
  }

  /** A file is not open any more. */
  void closed(OpenFile file) {
    if (isOn()) {
      record(new Change.Closed(unique(), file.handle()));
    }
  }

  /** Keeps a descriptor that stands for an inode, whose name may be gone soon. */
  void kept(Inode inode, Descriptor held) {
    if (isOn() && !held.isKept()) {
      record(new Change.Kept(inode.nodeId, keep(held)));
    }
  }

  /** Keeps the descriptor that a process of the guest's has its locks on a file by. */
  void locking(long nodeId, long owner, Descriptor held) {
    if (isOn()) {
      record(new Change.Locking(nodeId, owner, keep(held)));
    }
  }

  /**
   * The request that the calling thread serves is about to change names.
   *
   * @param first what its first name leads to
   * @param second the same of its second, if it has one
   */
  void begun(Identity first, Identity second) {
    Attempt earlier = earlier();
    if (isOn() && (earlier == null || earlier.first() == null)) {
      record(new Change.Begun(unique(), first, second));
    }
  }

  /** A request is about to write to the end of a file. */
  void appending(long unique, long size) {
    record(new Change.Appending(unique, size));
  }

  /** As {@link #earlier()} of any request. */
  @Nullable Attempt earlier(long unique) {
    return attempts.earlier(unique);
  }

  /** Runs what takes back an earlier attempt at the request that the calling thread serves. */
  void takingBack(Runnable takesBack) {
    record(new Change.Undone(unique()));
    Request now = request.get();
    now.takesBack = true;
    try {
      takesBack.run();
    } finally {
      now.takesBack = false;
    }
  }

  /** Lets a successor have a descriptor; answers its key. */
  long keep(Descriptor descriptor) {
    DescriptorStore to = store;
    if (to == null) {
      throw new AssertionError("nobody keeps descriptors");
    }
    synchronized (descriptor) {
      if (!descriptor.isKept()) {
        long key = nextKey.getAndIncrement();
        to.keep(key, descriptor.fd);
        descriptor.keptAs(key, to);
      }
      return descriptor.key();
    }
  }

  /** Writes a change down. */
  void record(Change change) {
    if (isOn() && !request.get().takesBack) {
      write(change);
    }
  }

  private synchronized void write(Change change) {
    JournalFile to = file;
    if (to == null) {
      return;
    }
    if (change instanceof Change.Cleared) {
      attempts.clear();
    } else {
      attempts.note(change);
    }
    try {
      to.add(change);
      to.flush();
    } catch (BlockFault e) {
      giveUp(e);
    }
  }

  private synchronized void giveUp(BlockFault why) {
    log.accept("nothing would be left for a successor any more: " + why.getMessage());
    end();
    if (store != null) {
      store.drop(JOURNAL_KEY);
    }
  }

  /** Whether the journal has become so long that it should be begun anew; true once only. */
  synchronized boolean isLong() {
    boolean isLong = file != null && !beginningAnew && file.bytes() > anewAt;
    beginningAnew |= isLong;
    return isLong;
  }

  /** What writes all that the guest knows now. */
  interface Snapshot {
    void write(Consumer<Change> to);
  }

  /** Begins a journal in place of the one before, if any. Nothing may change meanwhile. */
  synchronized void begin(Snapshot snapshot) {
    if (store == null) {
      return;
    }
    try {
      JournalFile fresh = JournalFile.create();
      var adding = new Adding(fresh);
      snapshot.write(adding);
      attempts.forEach(change -> adding.accept(new Change.Past(change)));
      fresh.flush();
      adding.check();
      store.keep(JOURNAL_KEY, fresh.fd());
      end();
      goOn(fresh);
    } catch (BlockFault e) {
      giveUp(e);
    }
  }

  /** Begins a journal in place of one that has become too long. Nothing may change meanwhile. */
  synchronized void beginAnew(Snapshot snapshot) {
    if (beginningAnew) {
      begin(snapshot);
    }
  }

  /** Adds until it fails. */
  private static final class Adding implements Consumer<Change> {
    private final JournalFile to;
    private @Nullable BlockFault failure;

    Adding(JournalFile to) {
      this.to = to;
    }

    @Override
    public void accept(Change change) {
      try {
        if (failure == null) {
          to.add(change);
        }
      } catch (BlockFault e) {
        failure = e;
      }
    }

    void check() throws BlockFault {
      if (failure != null) {
        throw failure;
      }
    }
  }

  private void goOn(JournalFile to) {
    file = to;
    anewAt = Math.max(BYTES_MIN, GROWTH * to.bytes());
    beginningAnew = false;
  }

  /**
   * Reads what a predecessor wrote, and goes on behind it.
   *
   * @param fd the journal's descriptor, which this takes over
   * @param lastKey the largest of the keys of what it left
   */
  synchronized void resume(int fd, long lastKey, Consumer<Change> each) throws BlockFault {
    nextKey.accumulateAndGet(lastKey + 1, Math::max);
    JournalFile left =
        JournalFile.resume(
            fd,
            change -> {
              each.accept(change);
              // Also those of what was closed since: the next to read this would mix the two up.
              nextKey.accumulateAndGet(keyOf(change) + 1, Math::max);
              switch (change) {
                case Change.Past(Change before) -> attempts.note(before);
                case Change.Cleared() -> attempts.clear();
                default -> attempts.note(change);
              }
            });
    attempts.inherited();
    goOn(left);
  }

  private static long keyOf(Change change) {
    return switch (change) {
      case Change.Opened o -> o.key();
      case Change.Kept k -> k.key();
      case Change.Locking l -> l.key();
      default -> ROOT_KEY;
    };
  }

  /** What was done for a request so far, as far as has been read. */
  synchronized @Nullable Attempt ofPast(long unique) {
    return attempts.of(unique);
  }

  /** Writes nothing any more, until {@link #begin}. */
  synchronized void end() {
    if (file != null) {
      file.close();
      file = null;
    }
    beginningAnew = false;
  }
}
