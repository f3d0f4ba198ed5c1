package hawser.fs.passthrough;

import static hawser.sys.PathCalls.AT_SYMLINK_NOFOLLOW;
import static hawser.sys.PathCalls.EMPTY;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import hawser.base.BlockFault;
import hawser.fs.Name;
import hawser.fs.state.CountingSink;
import hawser.fs.state.Location;
import hawser.fs.state.SavedFile;
import hawser.fs.state.SavedInode;
import hawser.fs.state.SavedOption;
import hawser.fs.state.StateSink;
import hawser.sys.FileCalls;
import hawser.sys.PathCalls;
import hawser.sys.Statx;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Tells all that a guest knows of its share to whoever takes over. For each inode in use it finds
 * out how it can be found again: by its name, if that still leads to it; by the name that it has
 * now, if somebody else has moved it; by one that is made for the journey; or not at all, and then
 * it travels with its content. No queue may work meanwhile.
 */
final class StateSaver {
  private static final Name NONE = new Name(EMPTY);

  private final Share share;
  private final Inodes inodes;
  private final Paths paths;
  private final Locks locks;
  private final StateLimits limits;
  private final Progress progress;
  private final boolean surveyOnly;
  private final HiddenLinks hidden;
  private final Statx status = new Statx();
  private final Set<Long> told = new HashSet<>();
  private final List<Inode> embedded = new ArrayList<>();
  private final List<String> problems = new ArrayList<>();
  private final Map<Long, Location> found = new HashMap<>();
  private long embeddedBytes;

  private StateSaver(
      Share share,
      Locks locks,
      StateLimits limits,
      HiddenLinks hidden,
      Progress progress,
      boolean surveyOnly) {
    this.share = share;
    this.inodes = share.inodes;
    this.paths = new Paths(inodes);
    this.locks = locks;
    this.limits = limits;
    this.hidden = hidden;
    this.progress = progress;
    this.surveyOnly = surveyOnly;
  }

  /**
   * For one state. Files in use are looked for at once: {@link #problems} tells of those that would
   * be lost.
   */
  static StateSaver of(
      Share share, Locks locks, StateLimits limits, HiddenLinks hidden, Progress progress) {
    var saver = new StateSaver(share, locks, limits, hidden, progress, false);
    progress.begin(Progress.Phase.FINDING);
    saver.findNeeded();
    return saver;
  }

  /** What would not survive, in words. */
  List<String> problems() {
    return List.copyOf(problems);
  }

  /** Writes everything. */
  void save(StateSink to) throws IOException {
    tell(to);
    if (!problems.isEmpty()) {
      throw new IOException(String.join("; ", problems));
    }
    to.end();
  }

  /** What saving would mean now. Nothing is changed; the guest may be at work. */
  static Survey survey(Share share, Locks locks, StateLimits limits, Progress progress)
      throws IOException {
    long start = System.nanoTime();
    var none = new HiddenLinks(share.inodes);
    var saver = new StateSaver(share, locks, limits, none, progress, true);
    var sink = new CountingSink();
    saver.findNeeded();
    saver.tell(sink);
    sink.end();
    return new Survey(
        saver.problems(),
        sink.inodes(),
        sink.files(),
        sink.locks(),
        sink.bytes(),
        saver.embeddedBytes,
        System.nanoTime() - start);
  }

  private void findNeeded() {
    for (Inode inode : inodes.all()) {
      if (isNeeded(inode)) {
        found.put(inode.nodeId, locate(inode));
      }
    }
  }

  private void tell(StateSink to) throws IOException {
    to.settings(share.settings());
    for (SavedOption option : share.options.reliedOn()) {
      to.option(option);
    }
    List<Inode> all = inodes.all();
    progress.total(all.size());
    for (Inode inode : all) {
      if (progress.isStopped()) {
        return;
      }
      tellWithDirectories(inode, to);
      progress.oneMore();
    }
    for (Inode inode : embedded) {
      content(inode, to);
    }
    for (OpenFile file : share.openFiles()) {
      to.file(new SavedFile(file.handle(), file.inode().nodeId, file.flags()));
    }
    for (var lock : locks.all()) {
      to.lock(lock);
    }
  }

  /** An inode, and where it is found. */
  private record Located(Inode inode, Location location) {}

  /** Tells an inode after the directories that its location leads through. */
  private void tellWithDirectories(Inode inode, StateSink to) throws IOException {
    Deque<Located> untold = new ArrayDeque<>();
    for (Inode at = inode; at != null && told.add(at.nodeId); ) {
      Location before = found.get(at.nodeId);
      var located = new Located(at, before == null ? locate(at) : before);
      untold.push(located);
      at = located.location() instanceof Location.Named ? at.directory : null;
    }
    for (Located next : untold) {
      tell(next.inode(), next.location(), to);
    }
  }

  private void tell(Inode inode, Location location, StateSink to) throws IOException {
    if (location instanceof Location.Embedded) {
      embedded.add(inode);
    }
    to.inode(
        new SavedInode(
            inode.nodeId,
            inode.lookups,
            inode.type,
            inode.id.identity(),
            inode.visibleInode,
            isNeeded(inode) && !(location instanceof Location.Lost),
            fileHandle(inode),
            location));
  }

  private Name fileHandle(Inode inode) {
    byte[] known = inode.handle;
    if (known != null) {
      return new Name(known);
    }
    if (!isNeeded(inode)) {
      return NONE;
    }
    Descriptor held = inodes.held(inode);
    if (held == null) {
      return NONE;
    }
    try {
      byte[] handle = PathCalls.fileHandle(held.fd, EMPTY);
      return handle == null ? NONE : new Name(handle);
    } finally {
      held.release();
    }
  }

  /** Whether the guest could not go on without it, as far as can be told. */
  private boolean isNeeded(Inode inode) {
    return !inode.files.isEmpty()
        || (inode.descriptor != null && (inode.type == Statx.DIRECTORY || inode.nameless));
  }

  private Location locate(Inode inode) {
    if (inode == inodes.root()) {
      return new Location.Root();
    }
    Descriptor held = inodes.held(inode);
    if (held == null) {
      // Nobody has it open: where it was seen last it is looked for when it is needed.
      return named(inode);
    }
    try {
      if (isWhereItWas(inode) || hasBeenMoved(inode, held)) {
        return named(inode);
      }
      return isNeeded(inode) ? withoutName(inode, held) : new Location.Lost();
    } finally {
      held.release();
    }
  }

  private static Location named(Inode inode) {
    Inode directory = inode.directory;
    Name name = inode.name;
    return directory == null || name == null || inode.nameless
        ? new Location.Lost()
        : new Location.Named(directory.nodeId, name);
  }

  private boolean isWhereItWas(Inode inode) {
    Inode directory = inode.directory;
    Name name = inode.name;
    if (directory == null || name == null || inode.nameless) {
      return false;
    }
    try {
      Descriptor in = inodes.hold(directory);
      try {
        return leadsTo(in.fd, name, inode);
      } finally {
        in.release();
      }
    } catch (BlockFault e) {
      return false;
    }
  }

  private boolean leadsTo(int directory, Name name, Inode inode) {
    return PathCalls.statx(directory, name.bytes(), AT_SYMLINK_NOFOLLOW, status) == 0
        && FileId.of(status).equals(inode.id);
  }

  /** Asks the kernel where the file is now; true when it is in the share, and remembered there. */
  private boolean hasBeenMoved(Inode inode, Descriptor held) {
    Name path = paths.pathInShare(held);
    if (path == null || path.length() == 0) {
      return false;
    }
    try {
      return paths.relocate(inode, path, status);
    } catch (BlockFault e) {
      return false;
    }
  }

  private Location withoutName(Inode inode, Descriptor held) {
    if (PathCalls.statx(held.fd, status) < 0) {
      return problem(inode, "its attributes cannot be read");
    }
    if (status.links() > 0 && inode.type != Statx.DIRECTORY) {
      Name name = surveyOnly ? HiddenLinks.name(inode) : hidden.link(inode, held);
      if (name != null) {
        return new Location.Hidden(name);
      }
    }
    return embed(inode, held);
  }

  private Location embed(Inode inode, Descriptor held) {
    long stored = Math.min(status.size(), status.blocks() * 512);
    embeddedBytes += inode.type == Statx.REGULAR ? stored : 0;
    if (embeddedBytes > limits.embeddedBytes()) {
      return problem(
          inode,
          "it has no name any more, and with its %d bytes more than %d would travel"
              .formatted(stored, limits.embeddedBytes()));
    }
    return new Location.Embedded(
        status.mode(),
        status.uid(),
        status.gid(),
        Device.pack(status.deviceMajor(), status.deviceMinor()),
        inode.type == Statx.REGULAR ? status.size() : 0,
        status.atimeSeconds(),
        status.atimeNanos(),
        status.mtimeSeconds(),
        status.mtimeNanos(),
        inode.type == Statx.SYMLINK ? target(held) : NONE);
  }

  private static Name target(Descriptor link) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment room = arena.allocate(Name.PATH_BYTES_MAX);
      long length = Math.max(0, PathCalls.readlinkat(link.fd, EMPTY, room));
      return new Name(room.asSlice(0, length).toArray(JAVA_BYTE));
    }
  }

  private Location problem(Inode inode, String why) {
    problems.add("inode %d (was '%s'): %s".formatted(inode.nodeId, paths.describe(inode), why));
    return new Location.Lost();
  }

  /** A file that travels with its content: what is stored of it, and its attributes. */
  private void content(Inode inode, StateSink to) throws IOException {
    if (surveyOnly) {
      return;
    }
    Descriptor held = inodes.held(inode);
    if (held == null) {
      throw new AssertionError("located without a descriptor: " + inode.nodeId);
    }
    try (var moved = new EmbeddedContent(inode.nodeId, to)) {
      moved.attributes(held);
      if (inode.type == Statx.REGULAR) {
        moved.bytes(inodes.openAgain(inode, FileCalls.O_RDONLY));
      }
    } catch (BlockFault e) {
      throw new IOException(
          "inode %d (was '%s') cannot be read: error %d"
              .formatted(inode.nodeId, paths.describe(inode), e.errno().number()));
    } finally {
      held.release();
    }
  }
}
