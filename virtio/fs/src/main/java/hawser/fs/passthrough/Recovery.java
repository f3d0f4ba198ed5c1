package hawser.fs.passthrough;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.fs.journal.Attempt;
import hawser.fs.journal.Change;
import hawser.fs.journal.DescriptorStore;
import hawser.fs.journal.Succession;
import hawser.sys.FileCalls;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes an empty share what it was for a daemon that died, from its journal and the descriptors
 * that it left.
 */
final class Recovery {
  /** A file that has been closed since has no descriptor any more. */
  private static final int NOT_OPEN = -1;

  private final Share share;
  private final Inodes inodes;
  private final Locks locks;
  private final DescriptorStore store;

  /** The descriptors that have not been needed yet, by their keys. */
  private final Map<Long, Integer> left;

  /** Directories that the guest cannot name. */
  private final Map<Long, Inode> onTheWay = new HashMap<>();

  /** Inodes as they were at the journal's beginning, until all of them are there. */
  private final List<Change.Known> unplaced = new ArrayList<>();

  private Recovery(Share share, Locks locks, DescriptorStore store, Map<Long, Integer> left) {
    this.share = share;
    this.inodes = share.inodes;
    this.locks = locks;
    this.store = store;
    this.left = left;
  }

  /** Goes on where the daemon that left this died; whether it had left a journal. */
  static boolean run(Share share, Locks locks, Succession succession) throws BlockFault {
    var left = new HashMap<>(succession.left());
    left.remove(Journal.ROOT_KEY);
    Integer journal = left.remove(Journal.JOURNAL_KEY);
    if (journal != null) {
      long last = left.keySet().stream().mapToLong(Long::longValue).max().orElse(0);
      var recovery = new Recovery(share, locks, succession.store(), left);
      share.journal.resume(journal, last, recovery::apply);
      recovery.place();
    }
    left.forEach(
        (key, fd) -> {
          FileCalls.close(fd);
          succession.store().drop(key);
        });
    return journal != null;
  }

  private void apply(Change change) {
    if (change instanceof Change.Known known) {
      known(known);
      return;
    }
    place();
    switch (change) {
      case Change.Settled s -> {
        share.arrived(s.settings());
        inodes.goOnFrom(s.settings().nextNode());
      }
      case Change.Found f -> {
        Inode inode = inodes.find(f.nodeId());
        if (inode == null) {
          inode = inodes.add(f.nodeId(), FileId.of(f.identity()), f.type());
        }
        inodes.told(inode, inode(f.directory()), f.name(), f.nameless());
      }
      case Change.Forgotten f -> inodes.forget(f.nodeId(), f.lookups());
      case Change.Moved m -> inodes.moved(inode(m.nodeId()), inode(m.directory()), m.name());
      case Change.Unnamed u -> inode(u.nodeId()).nameless = true;
      case Change.Handled h -> inode(h.nodeId()).handle = h.handle().bytes();
      case Change.Kept k -> {
        if (left.containsKey(k.key())) {
          inodes.inherited(inode(k.nodeId()), take(k.key()));
        }
      }
      case Change.Opened o -> opened(o);
      case Change.Closed c -> {
        locks.unlocked(c.handle());
        boolean _ = share.forgetFile(c.handle());
      }
      case Change.Locking l -> locks.inherited(l, take(l.key()));
      case Change.Locked l -> locks.inherited(l.lock());
      case Change.Unlocked u -> locks.inherited(u);
      case Change.UnlockedWhole u -> locks.unlocked(u.handle());
      case Change.Released r -> locks.inherited(r);
      case Change.Undone u -> {
        Attempt attempt = share.journal.ofPast(u.unique());
        if (attempt != null) {
          share.forget(attempt);
        }
      }
      case Change.Cleared _ -> {
        locks.clear();
        share.clear();
        onTheWay.clear();
      }
      case Change.Begun _, Change.Appending _, Change.Past _ -> {}
      case Change.Known _ -> throw new AssertionError("known before");
    }
  }

  private Inode inode(long nodeId) {
    Inode inode = inodes.find(nodeId);
    Inode known = inode == null ? onTheWay.get(nodeId) : inode;
    if (known == null) {
      throw new PeerFault("journal: inode %d is not known".formatted(nodeId));
    }
    return known;
  }

  private void known(Change.Known known) {
    Inode inode;
    if (known.nodeId() == Inodes.ROOT_ID) {
      inode = inodes.root();
    } else if (known.known()) {
      inode = inodes.add(known.nodeId(), FileId.of(known.identity()), known.type());
      inode.lookups = known.lookups();
      unplaced.add(known);
    } else {
      inode = inodes.onTheWay(known.nodeId(), FileId.of(known.identity()), known.type());
      onTheWay.put(known.nodeId(), inode);
      unplaced.add(known);
    }
    inode.visibleInode = known.visibleInode();
    inode.nameless = known.nameless();
  }

  private void place() {
    for (Change.Known known : unplaced) {
      if (known.directory() != 0) {
        Inode directory = inode(known.directory());
        inodes.place(inode(known.nodeId()), directory, known.name(), known.nameless());
      }
    }
    unplaced.clear();
  }

  /** What is left under a key: nothing, where it was given up after the change was written. */
  private Descriptor take(long key) {
    Integer fd = left.remove(key);
    var descriptor = new Descriptor(fd == null ? NOT_OPEN : fd);
    descriptor.keptAs(key, store);
    return descriptor;
  }

  private void opened(Change.Opened opened) {
    Inode inode = inode(opened.nodeId());
    Descriptor descriptor = take(opened.key());
    share.arrived(new OpenFile(opened.handle(), inode, opened.flags(), descriptor, new Listing()));
  }
}
