package hawser.fs.passthrough;

import hawser.fs.Name;
import hawser.fs.journal.Change;
import hawser.sys.PathCalls;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * All that a guest knows of its share, as the beginning of a journal. Nothing changes meanwhile.
 */
final class Snapshot {
  private static final Name NONE = new Name(PathCalls.EMPTY);

  private final Share share;
  private final Consumer<Change> to;
  private final Set<Inode> onTheWay = new HashSet<>();

  private Snapshot(Share share, Consumer<Change> to) {
    this.share = share;
    this.to = to;
  }

  /** Begins the share's journal with all that is known. */
  static void begin(Share share, Locks locks) {
    take(share, locks, share.journal::begin);
  }

  /** Begins it anew, if it has become long and has not been ended since. */
  static void beginAnew(Share share, Locks locks) {
    take(share, locks, share.journal::beginAnew);
  }

  private static void take(Share share, Locks locks, Consumer<Journal.Snapshot> journal) {
    // In this order everywhere: who records a change holds one of these, and then the journal.
    synchronized (share.inodes) {
      synchronized (locks) {
        journal.accept(
            to -> {
              new Snapshot(share, to).inodes();
              locks.tell(to);
            });
      }
    }
  }

  private void inodes() {
    to.accept(new Change.Settled(share.settings()));
    for (Inode inode : share.inodes.all()) {
      to.accept(of(inode, true));
      tellWay(inode.directory);
    }
    for (Inode inode : share.inodes.all()) {
      tellHandles(inode);
      tellDescriptors(inode);
    }
  }

  /** Directories that the guest cannot name, above an inode that it can. */
  private void tellWay(@Nullable Inode above) {
    for (Inode at = above;
        at != null && share.inodes.find(at.nodeId) != at && onTheWay.add(at);
        at = at.directory) {
      to.accept(of(at, false));
    }
  }

  private void tellHandles(Inode inode) {
    byte[] handle = inode.handle;
    if (handle != null) {
      to.accept(new Change.Handled(inode.nodeId, new Name(handle)));
    }
  }

  private void tellDescriptors(Inode inode) {
    Descriptor held = inode.descriptor;
    if (held != null && inode != share.inodes.root() && (inode.nameless || held.isKept())) {
      to.accept(new Change.Kept(inode.nodeId, share.journal.keep(held)));
    }
    for (OpenFile file : inode.files) {
      long key = share.journal.keep(file.descriptor());
      to.accept(new Change.Opened(0, file.handle(), inode.nodeId, file.flags(), key));
    }
  }

  /**
   * An inode as it is.
   *
   * @param known whether the guest can name it
   */
  static Change of(Inode inode, boolean known) {
    Inode directory = inode.directory;
    return new Change.Known(
        inode.nodeId,
        inode.id.identity(),
        inode.type,
        inode.lookups,
        directory == null ? 0 : directory.nodeId,
        inode.name == null ? NONE : inode.name,
        inode.nameless,
        inode.visibleInode,
        known);
  }
}
