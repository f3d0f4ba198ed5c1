package hawser.fs.passthrough;

import static hawser.sys.FileCalls.O_CLOEXEC;
import static hawser.sys.FileCalls.O_NOFOLLOW;
import static hawser.sys.FileCalls.O_PATH;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.fs.Name;
import hawser.fs.journal.Change;
import hawser.sys.PathCalls;
import hawser.sys.Statx;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The inodes that the guest knows, and the descriptors that stand for them: at most so many that a
 * million files can be known to a process that may open a thousand. Safe from any thread; no system
 * call is made under its lock but close.
 */
final class Inodes {
  /** The guest's name of the shared folder itself. */
  static final long ROOT_ID = 1;

  /** Directories above each other at most: as many as names fit into a path. */
  static final int DEPTH_MAX = Name.PATH_BYTES_MAX / 2;

  /** What an inode takes of the heap, names, tables and file handle included, and as much again. */
  private static final int BYTES_EACH = 512;

  /** Inodes that a guest may know at most: as many as the heap has room for. */
  static final int COUNT_MAX =
      (int) Math.min(Integer.MAX_VALUE, Runtime.getRuntime().maxMemory() / BYTES_EACH);

  private final LongTable<Inode> byNode = new LongTable<>();
  private Map<FileId, Inode> byId = new HashMap<>();
  private final List<Inode> withDescriptor = new ArrayList<>();
  private final int countMax;
  private final int descriptorsMax;
  private final Inode root;
  private final Journal journal;
  final FileHandles handles;
  private final Reopening reopening;
  private int hand;
  private long nextNode = ROOT_ID + 1;

  /** The number of the last inode that the guest cannot name. */
  private long unnamedNode;

  /**
   * For a shared folder.
   *
   * @param folder stands for it (O_PATH); this takes it over
   * @param countMax how many the guest may know, the folder included
   * @param descriptorsMax descriptors to keep for inodes at most
   * @param journal is told of whatever changes
   * @param handles how a file is found that has another name by now
   */
  Inodes(
      Descriptor folder,
      Statx status,
      int countMax,
      int descriptorsMax,
      Journal journal,
      FileHandles handles) {
    this.countMax = countMax;
    this.descriptorsMax = descriptorsMax;
    this.journal = journal;
    this.handles = handles;
    this.reopening = new Reopening(this);
    this.root = new Inode(ROOT_ID, FileId.of(status), status.type());
    root.descriptor = folder;
    root.lookups = 1;
    byNode.add(ROOT_ID, root);
    byId.put(root.id, root);
  }

  Inode root() {
    return root;
  }

  /** How many inodes the guest knows. */
  int count() {
    return byNode.size();
  }

  /** The inode that the guest means. */
  Inode get(long nodeId) throws BlockFault {
    Inode inode = byNode.get(nodeId);
    if (inode == null) {
      throw Kernel.no(Errno.EBADF);
    }
    return inode;
  }

  /** The inode of this number; null when the guest does not know one. */
  @Nullable Inode find(long nodeId) {
    return byNode.get(nodeId);
  }

  /**
   * The guest is told of a file: counts, and answers with its inode.
   *
   * @param handle the file's, as {@link FileHandles#of} has it
   */
  synchronized Inode found(Statx status, byte @Nullable [] handle, Inode directory, Name name)
      throws BlockFault {
    Inode inode = told(of(status, handle), directory, name, false);
    remember(inode, handle);
    return inode;
  }

  /** A file handle of an inode is known now. */
  synchronized void remember(Inode inode, byte @Nullable [] handle) {
    if (handle != null && inode.handle == null && byNode.get(inode.nodeId) == inode) {
      inode.handle = handle;
      journal.record(new Change.Handled(inode.nodeId, new Name(handle)));
    }
  }

  /** A file that was made without a name. */
  synchronized Inode foundNameless(Statx status, Inode directory) throws BlockFault {
    return told(of(status, null), directory, new Name(PathCalls.EMPTY), true);
  }

  /** ENOMEM when the guest knows too many. */
  private Inode of(Statx status, byte @Nullable [] handle) throws BlockFault {
    var id = FileId.of(status);
    Inode known = byId.get(id);
    if (known != null && handle != null && id.mayBeAnother() && known.handle != null) {
      known = Arrays.equals(known.handle, handle) ? known : null;
    }
    if (known != null) {
      return known;
    }
    if (byNode.size() >= countMax) {
      throw Kernel.no(Errno.ENOMEM);
    }
    return add(nextNode, id, status.type());
  }

  /** Adds an inode, of a number that is new. */
  synchronized Inode add(long nodeId, FileId id, int type) {
    var inode = new Inode(nodeId, id, type);
    byId.put(id, inode);
    byNode.add(nodeId, inode);
    nextNode = Math.max(nextNode, nodeId + 1);
    return inode;
  }

  /** The guest is told of an inode once more, which lies here. */
  synchronized Inode told(Inode inode, Inode directory, Name name, boolean nameless) {
    if (inode != root) {
      inode.lookups++;
      place(inode, directory, name, nameless);
      journal.found(inode);
    }
    return inode;
  }

  /** An inode is found by this name from now on, and keeps its directory known. */
  synchronized void place(Inode inode, Inode directory, Name name, boolean nameless) {
    Inode before = inode.directory;
    inode.directory = directory;
    inode.name = name;
    inode.nameless = nameless;
    if (before != directory) {
      directory.below++;
      left(before);
    }
  }

  /** A directory has an inode less that is found by it. */
  private void left(@Nullable Inode directory) {
    if (directory != null) {
      directory.below--;
      dropUnused(directory);
    }
  }

  /** The inode of a file that the guest may know; null when it does not. */
  synchronized @Nullable Inode known(FileId id) {
    return byId.get(id);
  }

  /** The guest forgets some of what it was told. */
  synchronized void forget(long nodeId, long lookups) {
    journal.forgotten(nodeId, lookups);
    Inode inode = byNode.get(nodeId);
    if (inode == null || inode == root) {
      return;
    }
    inode.lookups = Math.max(0, inode.lookups - lookups);
    dropUnused(inode);
  }

  /** Drops an inode of which nothing is left, and the directories that were there only for it. */
  private void dropUnused(Inode inode) {
    for (Inode at = inode; at != null && isUnused(at); at = at.directory) {
      byNode.remove(at.nodeId);
      byId.remove(at.id, at);
      close(at);
      if (at.directory != null) {
        at.directory.below--;
      }
    }
  }

  private boolean isUnused(Inode inode) {
    return inode.lookups == 0
        && inode.below == 0
        && inode.files.isEmpty()
        && inode != root
        && byNode.get(inode.nodeId) == inode;
  }

  /** The guest knows nothing any more. */
  synchronized void clear() {
    journal.record(new Change.Cleared());
    byNode.clear(this::close);
    root.below = 0;
    root.visibleInode = root.id.inode();
    byId.clear();
    withDescriptor.clear();
    byNode.add(ROOT_ID, root);
    byId.put(root.id, root);
  }

  private void close(Inode inode) {
    Descriptor open = inode.descriptor;
    if (inode != root && open != null) {
      inode.descriptor = null;
      removeFromCache(inode);
      open.release();
    }
  }

  private void removeFromCache(Inode inode) {
    if (inode.place < withDescriptor.size() && withDescriptor.get(inode.place) == inode) {
      Inode last = withDescriptor.removeLast();
      if (last != inode) {
        withDescriptor.set(inode.place, last);
        last.place = inode.place;
      }
    }
  }

  synchronized void opened(OpenFile file) {
    journal.opened(file);
    file.inode().add(file);
  }

  synchronized void closed(OpenFile file) {
    Inode inode = file.inode();
    journal.closed(file);
    inode.remove(file);
    dropUnused(inode);
  }

  /** A guest's rename has moved a file. */
  synchronized void moved(Inode inode, Inode directory, Name name) {
    place(inode, directory, name, false);
    journal.record(new Change.Moved(inode.nodeId, directory.nodeId, name));
  }

  /**
   * A name is gone, by which an inode may have been remembered.
   *
   * @param held stands for it apart from open files, held since before the name went
   */
  synchronized void unnamed(Inode inode, Inode directory, Name name, Descriptor held) {
    Name called = inode.name;
    if (called != null && called.equals(name) && inode.directory == directory) {
      inode.nameless = true;
      journal.record(new Change.Unnamed(inode.nodeId));
      if (inode.descriptor == null && inode.lookups > 0) {
        boolean _ = held.hold();
        inode.descriptor = held;
      }
    }
  }

  /**
   * A descriptor that stands for the inode (O_PATH, or an open file of it); the caller releases it.
   *
   * @throws BlockFault ESTALE when the file is no longer where it was, or another is there
   */
  Descriptor hold(Inode inode) throws BlockFault {
    Descriptor open = held(inode);
    return open != null ? open : reopening.again(inode);
  }

  /** As {@link #hold}, but none of an open file's, which closes before the guest forgets it. */
  Descriptor holdApart(Inode inode) throws BlockFault {
    Descriptor held = hold(inode);
    synchronized (this) {
      if (held == inode.descriptor) {
        return held;
      }
    }
    try {
      byte[] path = PathCalls.ofDescriptor(held.fd);
      return keep(
          inode, new Descriptor(reopening.open(PathCalls.AT_FDCWD, path, O_PATH | O_CLOEXEC)));
    } finally {
      held.release();
    }
  }

  /** One that is open anyway; null when none is. */
  synchronized @Nullable Descriptor held(Inode inode) {
    Descriptor open = inode.descriptor;
    for (int i = 0; open == null && i < inode.files.size(); i++) {
      Descriptor descriptor = inode.files.get(i).descriptor();
      open = descriptor.isOpen() ? descriptor : null;
    }
    inode.used = true;
    return open != null && open.hold() ? open : null;
  }

  /** The directory that an inode is found by. */
  synchronized Inode above(Inode inode) throws BlockFault {
    Inode directory = inode.directory;
    if (directory == null) {
      throw Kernel.no(Errno.ESTALE);
    }
    return directory;
  }

  /** Keeps a descriptor for later, unless another thread has been faster; answers one, held. */
  synchronized Descriptor keep(Inode inode, Descriptor opened) {
    Descriptor earlier = inode.descriptor;
    if (earlier != null && earlier.hold()) {
      opened.release();
      return earlier;
    }
    boolean known = byNode.get(inode.nodeId) == inode;
    if (known) {
      boolean _ = opened.hold();
      inode.descriptor = opened;
      inode.used = true;
      if (withDescriptor.size() >= descriptorsMax) {
        makeRoom(1);
      }
      inode.place = withDescriptor.size();
      withDescriptor.add(inode);
    }
    return opened;
  }

  /** Closes descriptors that have not been used lately, for the process has too many open. */
  void makeRoom() {
    makeRoom(descriptorsMax / 4 + 1);
  }

  /** Closes descriptors that have not been used lately and can be opened again. */
  synchronized void makeRoom(int wanted) {
    int closed = 0;
    for (int seen = 0; seen < 2 * withDescriptor.size() && closed < wanted; seen++) {
      if (withDescriptor.isEmpty()) {
        return;
      }
      hand = hand < withDescriptor.size() ? hand : 0;
      Inode inode = withDescriptor.get(hand);
      if (inode.used || inode.nameless) {
        inode.used = false;
        hand++;
        continue;
      }
      close(inode);
      closed++;
    }
  }

  /** Opens what an inode is, through the descriptor that stands for it; no name is looked up. */
  int openAgain(Inode inode, int flags) throws BlockFault {
    Descriptor held = hold(inode);
    try {
      byte[] path = PathCalls.ofDescriptor(held.fd);
      int wanted = (flags | O_CLOEXEC) & ~O_NOFOLLOW;
      long fd = PathCalls.openat(PathCalls.AT_FDCWD, path, wanted, 0);
      if (Reopening.isFull(fd)) {
        makeRoom(1);
        fd = PathCalls.openat(PathCalls.AT_FDCWD, path, wanted, 0);
      }
      return (int) Kernel.check(fd);
    } finally {
      held.release();
    }
  }

  /** Fills in what the kernel knows of a file now, by a descriptor or by its name. */
  void status(Inode inode, Statx into) throws BlockFault {
    Descriptor open = held(inode);
    if (open == null) {
      try {
        byName(inode, into);
        return;
      } catch (BlockFault gone) {
        open = reopening.byHandle(inode);
        if (open == null) {
          throw gone;
        }
      }
    }
    try {
      Kernel.check(PathCalls.statx(open.fd, into));
    } finally {
      open.release();
    }
  }

  private void byName(Inode inode, Statx into) throws BlockFault {
    Descriptor directory = hold(above(inode));
    try {
      Name name = inode.name;
      if (name == null || inode.nameless) {
        throw Kernel.no(Errno.ESTALE);
      }
      int flags = PathCalls.AT_SYMLINK_NOFOLLOW;
      long result = PathCalls.statx(directory.fd, name.bytes(), flags, into);
      if (result < 0 || !FileId.of(into).equals(inode.id)) {
        throw Kernel.no(Errno.ESTALE);
      }
    } finally {
      directory.release();
    }
  }

  /** Every inode that the guest knows, or has open. */
  synchronized List<Inode> all() {
    var all = new ArrayList<Inode>(byNode.size());
    byNode.forEach((_, inode) -> all.add(inode));
    return all;
  }

  /** The number of the next inode. */
  synchronized long nextNode() {
    return nextNode;
  }

  /** An inode that the guest cannot name, of a number below 0. */
  synchronized Inode onTheWay(long number, FileId id, int type) {
    unnamedNode = Math.min(unnamedNode, number);
    return new Inode(number, id, type);
  }

  /** A directory that the guest need not know of, on the way to a file that it does know. */
  synchronized Inode onTheWay(Statx status, Inode directory, Name name) {
    Inode inode = byId.get(FileId.of(status));
    if (inode == null) {
      inode = onTheWay(unnamedNode - 1, FileId.of(status), status.type());
      place(inode, directory, name, false);
      journal.record(Snapshot.of(inode, false));
    } else if (inode != root) {
      moved(inode, directory, name);
    }
    return inode;
  }

  /** Takes over inodes of a guest that arrives; nothing is known before. */
  synchronized void arrived(LongTable<Inode> arriving, long next) {
    byNode.expect(arriving.size());
    byId = HashMap.newHashMap(arriving.size() + 1);
    byId.put(root.id, root);
    arriving.forEach(
        (_, inode) -> {
          if (inode.directory != null) {
            inode.directory.below++;
          }
        });
    arriving.forEach(
        (_, inode) -> {
          if (inode != root && (inode.lookups > 0 || inode.below > 0)) {
            byNode.add(inode.nodeId, inode);
            byId.putIfAbsent(inode.id, inode);
          }
        });
    nextNode = next;
  }

  /** A predecessor had a descriptor that stands for an inode, for its name may be gone. */
  synchronized void inherited(Inode inode, Descriptor left) {
    if (inode.descriptor == null) {
      inode.descriptor = left;
    } else {
      left.release();
    }
  }

  /** The next inode gets this number, or a larger one. */
  synchronized void goOnFrom(long number) {
    nextNode = Math.max(nextNode, number);
  }

  /** An inode is reached by a descriptor from now on, for it has no name. */
  synchronized void reachedBy(Inode inode, Descriptor opened) {
    inode.nameless = true;
    inode.descriptor = opened;
  }

  /** Lets go of everything. */
  synchronized void close() {
    clear();
    Descriptor folder = root.descriptor;
    if (folder != null) {
      root.descriptor = null;
      folder.release();
    }
  }
}
