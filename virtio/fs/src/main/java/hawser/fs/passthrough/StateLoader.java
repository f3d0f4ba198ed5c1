package hawser.fs.passthrough;

import hawser.base.BlockFault;
import hawser.fs.Name;
import hawser.fs.state.Identity;
import hawser.fs.state.Location;
import hawser.fs.state.SavedAttribute;
import hawser.fs.state.SavedFile;
import hawser.fs.state.SavedInode;
import hawser.fs.state.SavedLock;
import hawser.fs.state.SavedOption;
import hawser.fs.state.SavedSettings;
import hawser.fs.state.StateSink;
import hawser.sys.FileCalls;
import hawser.sys.PathCalls;
import hawser.sys.Statx;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Takes over a guest from another daemon. Pieces are only collected until {@link #end}; then every
 * inode in use is found and checked, every file opened and every lock taken, or the share is left
 * as empty as it was.
 */
final class StateLoader implements StateSink, AutoCloseable {
  private final Share share;
  private final Inodes inodes;
  private final Paths paths;
  private final Files files;
  private final Locks locks;
  private final StateLimits limits;
  private final boolean goOnWithout;
  private final Consumer<String> log;
  private final Progress progress;

  /** Inodes for which something must be done at the end; of the others only the place is kept. */
  private final Map<Long, SavedInode> saved = new LinkedHashMap<>();

  private long count;
  private long nextNode;
  private final Map<Long, NamelessFile> made = new HashMap<>();
  private final Map<Long, SavedFile> open = new HashMap<>();
  private final List<SavedLock> held = new ArrayList<>();
  private final LongTable<Inode> arriving = new LongTable<>();
  private final Map<FileSystemAt, FileSystemAt> fileSystems = new HashMap<>();
  private final Statx status = new Statx();
  private @Nullable SavedSettings settings;
  private long embeddedBytes;

  /**
   * For an empty share.
   *
   * @param goOnWithout a guest loses what cannot be found, rather than stay where it is
   */
  StateLoader(
      Share share,
      Files files,
      Locks locks,
      StateLimits limits,
      boolean goOnWithout,
      Consumer<String> log,
      Progress progress) {
    this.share = share;
    this.inodes = share.inodes;
    this.paths = new Paths(inodes);
    this.files = files;
    this.locks = locks;
    this.limits = limits;
    this.goOnWithout = goOnWithout;
    this.log = log;
    this.progress = progress;
  }

  /** A mount of a file system on one of the hosts. */
  private record FileSystemAt(long device, long mount) {
    static FileSystemAt of(Identity identity) {
      return new FileSystemAt(identity.device(), identity.mount());
    }

    static FileSystemAt of(FileId id) {
      return new FileSystemAt(id.device(), id.mount());
    }
  }

  @Override
  public void settings(SavedSettings given) throws IOException {
    long missing = given.agreed() & ~Features.wanted(share.options);
    if (missing != 0) {
      throw new IOException(
          "the guest has agreed to %s, which this daemon's options do not offer"
              .formatted(Features.names(missing)));
    }
    if (given.nextNode() < 1 || given.nextHandle() < 0) {
      throw new IOException(
          "the next inode is %d and the next file %d"
              .formatted(given.nextNode(), given.nextHandle()));
    }
    settings = given;
  }

  /** One that is not known here is a later version's; what matters of it, INIT has agreed to. */
  @Override
  public void option(SavedOption option) throws IOException {
    for (SavedOption own : share.options.reliedOn()) {
      if (own.name().equals(option.name()) && !own.value().equals(option.value())) {
        fail(
            "the guest comes from a daemon whose --%s is '%s', and here it is '%s'"
                .formatted(own.name(), option.value(), own.value()));
      }
    }
  }

  @Override
  public void inode(SavedInode inode) throws IOException {
    progress.oneMore();
    if (count++ == Inodes.COUNT_MAX) {
      throw new IOException("more than %d inodes".formatted(Inodes.COUNT_MAX));
    }
    boolean isRoot = inode.location() instanceof Location.Root;
    if (isRoot != (inode.nodeId() == Inodes.ROOT_ID) || inode.lookups() < 0) {
      throw new IOException(
          "inode %d is at %s, looked up %d times"
              .formatted(inode.nodeId(), inode.location(), inode.lookups()));
    }
    if (hasCome(inode.nodeId())) {
      throw new IOException("inode %d comes twice".formatted(inode.nodeId()));
    }
    if (inode.location() instanceof Location.Hidden(Name name) && !HiddenLinks.isOne(name)) {
      // It will be removed, so it must be no name of anybody else's.
      throw new IOException("inode %d is hidden as '%s'".formatted(inode.nodeId(), name));
    }
    nextNode = Math.max(nextNode, inode.nodeId() + 1);
    if (inode.location() instanceof Location.Named(long directory, Name name)) {
      checkName(inode, directory, name);
      if (!inode.needed() && arriving.get(directory) != null) {
        // Nearly all are like this: no more of them is remembered than where they are.
        named(inode, directory, name);
        return;
      }
    }
    if (isRoot) {
      Identity here = inodes.root().id.identity();
      if (!inode.identity().matches(here)) {
        fail(
            "the shared folder is another one here: its inode is %d, and was %d"
                .formatted(here.inode(), inode.identity().inode()));
      }
      fileSystems.put(FileSystemAt.of(inode.identity()), FileSystemAt.of(inodes.root().id));
      arriving.add(inode.nodeId(), inodes.root());
    }
    saved.put(inode.nodeId(), inode);
  }

  private boolean hasCome(long nodeId) {
    return arriving.get(nodeId) != null || saved.containsKey(nodeId);
  }

  private void checkName(SavedInode inode, long directory, Name name) throws IOException {
    if (!name.isComponent()) {
      throw new IOException("inode %d is called '%s'".formatted(inode.nodeId(), name));
    }
    if (!hasCome(directory)) {
      throw new IOException(
          "inode %d lies in %d, which has not come".formatted(inode.nodeId(), directory));
    }
  }

  private NamelessFile made(long nodeId) throws IOException {
    NamelessFile known = made.get(nodeId);
    if (known != null) {
      return known;
    }
    SavedInode inode = saved.get(nodeId);
    if (inode == null || !(inode.location() instanceof Location.Embedded embedded)) {
      throw new IOException("content of inode %d, which has a name".formatted(nodeId));
    }
    try {
      var file = NamelessFile.make(inodes, inode, embedded);
      made.put(nodeId, file);
      return file;
    } catch (BlockFault e) {
      throw new IOException(
          "inode %d has no name and cannot be made anew: error %d"
              .formatted(nodeId, e.errno().number()));
    }
  }

  @Override
  public void content(long nodeId, long offset, MemorySegment bytes) throws IOException {
    NamelessFile file = made(nodeId);
    embeddedBytes += bytes.byteSize();
    if (embeddedBytes > limits.embeddedBytes()) {
      throw new IOException(
          "content of more than %d bytes travels".formatted(limits.embeddedBytes()));
    }
    try {
      file.write(offset, bytes);
    } catch (BlockFault e) {
      throw new IOException(
          "content of inode %d cannot be written: error %d".formatted(nodeId, e.errno().number()));
    }
  }

  @Override
  public void attribute(long nodeId, SavedAttribute attribute) throws IOException {
    if (made(nodeId).setAttribute(attribute) < 0) {
      log.accept(
          "inode %d: its attribute '%s' cannot be set here".formatted(nodeId, attribute.name()));
    }
  }

  @Override
  public void file(SavedFile file) throws IOException {
    if (open.size() == StateLimits.FILES_MAX) {
      throw new IOException("more than %d open files".formatted(StateLimits.FILES_MAX));
    }
    if (!hasCome(file.nodeId())) {
      throw new IOException(
          "file %d is of inode %d, which has not come".formatted(file.handle(), file.nodeId()));
    }
    if (open.put(file.handle(), file) != null) {
      throw new IOException("file %d comes twice".formatted(file.handle()));
    }
  }

  @Override
  public void lock(SavedLock lock) throws IOException {
    if (held.size() == StateLimits.FILES_MAX) {
      throw new IOException("more than %d locks".formatted(StateLimits.FILES_MAX));
    }
    held.add(lock);
  }

  @Override
  public void end() throws IOException {
    SavedSettings given = settings;
    if (given == null) {
      throw new IOException("the state has no settings");
    }
    progress.begin(Progress.Phase.OPENING);
    progress.total(count);
    boolean complete = false;
    try {
      share.arrived(given);
      placeInodes(given);
      for (SavedFile file : open.values()) {
        open(file);
      }
      for (SavedLock lock : held) {
        if (!locks.take(lock)) {
          fail("a lock of the guest's is held by somebody else here: " + lock);
        }
      }
      complete = true;
    } finally {
      if (!complete) {
        locks.clear();
        share.clear();
      }
    }
  }

  /** Something cannot be had: the guest stays where it is, or goes on without. */
  private void fail(String why) throws IOException {
    if (!goOnWithout) {
      throw new IOException(why);
    }
    log.accept(why);
  }

  private void placeInodes(SavedSettings given) throws IOException {
    for (SavedInode inode : saved.values()) {
      place(inode);
    }
    inodes.arrived(arriving, Math.max(given.nextNode(), nextNode));
    for (SavedInode inode : saved.values()) {
      if (inode.needed()) {
        find(inode);
      }
    }
  }

  private void place(SavedInode inode) throws IOException {
    switch (inode.location()) {
      case Location.Root _ -> {
        if (inode.visibleInode() != 0) {
          inodes.root().visibleInode = inode.visibleInode();
        }
      }
      case Location.Named(long directory, Name name) -> named(inode, directory, name);
      case Location.AtPath(Name path) -> atPath(inode, path);
      case Location.Hidden(Name name) -> hidden(inode, name);
      case Location.Embedded _ -> {
        NamelessFile file = made(inode.nodeId());
        try {
          file.complete();
          add(inode, file.toInode(inode));
        } catch (BlockFault e) {
          throw new IOException(
              "inode %d cannot be made anew: error %d"
                  .formatted(inode.nodeId(), e.errno().number()));
        }
      }
      case Location.ByHandle(Name mount, Name handle) -> byHandle(inode, mount, handle);
      case Location.Lost _ -> lost(inode);
    }
  }

  private void named(SavedInode inode, long directory, Name name) throws IOException {
    Inode in = arriving.get(directory);
    if (in == null) {
      throw new AssertionError("checked before");
    }
    FileId id = idOf(inode, in, name);
    if (id == null) {
      lost(inode);
      return;
    }
    int type = inode.type() == 0 ? status.type() : inode.type();
    Inode placed = new Inode(inode.nodeId(), id, type);
    placed.directory = in;
    placed.name = name;
    add(inode, placed);
  }

  private void add(SavedInode inode, Inode placed) {
    placed.lookups = inode.lookups();
    if (inodes.handles.areUsed() && inode.fileHandle().length() > 0) {
      placed.handle = inode.fileHandle().bytes();
    }
    if (inode.visibleInode() != 0) {
      placed.visibleInode = inode.visibleInode();
    }
    arriving.add(inode.nodeId(), placed);
  }

  private void lost(SavedInode inode) throws IOException {
    if (inode.needed()) {
      fail("inode %d cannot be found here".formatted(inode.nodeId()));
    }
    Inode placed = new Inode(inode.nodeId(), new FileId(0, 0, inode.nodeId(), 0, 0), inode.type());
    placed.nameless = true;
    placed.directory = inodes.root();
    add(inode, placed);
  }

  /**
   * What tells the inode from others here: only the file system's numbers may differ. Null when
   * nothing was known of it and nothing is found. What was found last is in {@link #status}.
   */
  private @Nullable FileId idOf(SavedInode inode, Inode directory, Name name) {
    Identity identity = inode.identity();
    FileSystemAt there = FileSystemAt.of(identity);
    FileSystemAt here = fileSystems.get(there);
    if (identity.inode() == 0) {
      return look(directory, name);
    }
    if (here == null) {
      FileId found = look(directory, name);
      if (found != null && identity.matches(found.identity())) {
        fileSystems.putIfAbsent(there, FileSystemAt.of(found));
        return found;
      }
      here = new FileSystemAt(0, 0);
    }
    return new FileId(
        here.device(),
        identity.inode(),
        here.mount(),
        identity.birthSeconds(),
        identity.birthNanos());
  }

  private @Nullable FileId look(Inode directory, Name name) {
    try {
      Descriptor in = inodes.hold(directory);
      try {
        int flags = PathCalls.AT_SYMLINK_NOFOLLOW;
        return PathCalls.statx(in.fd, name.bytes(), flags, status) == 0 ? FileId.of(status) : null;
      } finally {
        in.release();
      }
    } catch (BlockFault e) {
      return null;
    }
  }

  private void atPath(SavedInode inode, Name path) throws IOException {
    try {
      Inode placed = paths.locate(path, inode.nodeId(), status);
      if (!inode.identity().matches(placed.id.identity())) {
        fail("inode %d: another file is at '%s' here".formatted(inode.nodeId(), path));
      }
      add(inode, placed);
    } catch (BlockFault e) {
      fail(
          "inode %d: '%s' cannot be found: error %d"
              .formatted(inode.nodeId(), path, e.errno().number()));
      lost(inode);
    }
  }

  private void byHandle(SavedInode inode, Name mount, Name handle) throws IOException {
    try {
      Descriptor opened = paths.openByHandle(mount, handle.bytes());
      if (PathCalls.statx(opened.fd, status) < 0) {
        opened.release();
        lost(inode);
        return;
      }
      Inode placed = new Inode(inode.nodeId(), FileId.of(status), status.type());
      placed.directory = inodes.root();
      inodes.reachedBy(placed, opened);
      add(inode, placed);
    } catch (BlockFault e) {
      log.accept(
          "inode %d: its file handle cannot be opened: error %d"
              .formatted(inode.nodeId(), e.errno().number()));
      lost(inode);
    }
  }

  private void hidden(SavedInode inode, Name name) throws IOException {
    Descriptor folder = inodes.held(inodes.root());
    if (folder == null) {
      throw new AssertionError("the shared folder is open");
    }
    try {
      int flags = FileCalls.O_PATH | FileCalls.O_NOFOLLOW | FileCalls.O_CLOEXEC;
      long fd = PathCalls.openat(folder.fd, name.bytes(), flags, 0);
      if (fd < 0 || PathCalls.statx((int) fd, status) < 0) {
        fail("inode %d: '%s' is not here".formatted(inode.nodeId(), name));
        lost(inode);
        return;
      }
      var opened = new Descriptor((int) fd);
      FileId id = FileId.of(status);
      if (!inode.identity().matches(id.identity())) {
        opened.release();
        fail("inode %d: '%s' is another file here".formatted(inode.nodeId(), name));
        lost(inode);
        return;
      }
      PathCalls.unlinkat(folder.fd, name.bytes(), 0);
      Inode placed = new Inode(inode.nodeId(), id, inode.type());
      placed.directory = inodes.root();
      inodes.reachedBy(placed, opened);
      add(inode, placed);
    } finally {
      folder.release();
    }
  }

  /** An inode that is in use must be there, and be the same. */
  private void find(SavedInode inode) throws IOException {
    Inode placed = arriving.get(inode.nodeId());
    if (placed == null) {
      throw new AssertionError("not placed: " + inode);
    }
    try {
      Descriptor found = inodes.hold(placed);
      try {
        checkHandle(inode, found);
      } finally {
        found.release();
      }
    } catch (BlockFault e) {
      fail(
          "inode %d ('%s') is not the file that the guest has open, or is not here: error %d"
              .formatted(inode.nodeId(), paths.describe(placed), e.errno().number()));
    }
  }

  /** Where nothing else tells files apart whose number has been used again, the handle does. */
  private void checkHandle(SavedInode inode, Descriptor found) throws IOException {
    boolean otherwiseKnown = inode.identity().birthSeconds() != 0;
    boolean anew = inode.location() instanceof Location.Embedded;
    if (otherwiseKnown || anew || inode.fileHandle().length() == 0) {
      return;
    }
    byte[] handle = PathCalls.fileHandle(found.fd, PathCalls.EMPTY);
    if (handle == null || !Arrays.equals(handle, inode.fileHandle().bytes())) {
      fail("inode %d is another file here: its file handle differs".formatted(inode.nodeId()));
    }
  }

  private void open(SavedFile file) throws IOException {
    Inode inode = arriving.get(file.nodeId());
    if (inode == null) {
      throw new AssertionError("checked before");
    }
    int flags =
        inode.type == Statx.DIRECTORY
            ? FileCalls.O_RDONLY | FileCalls.O_DIRECTORY
            : files.reopeningFlags(file.flags());
    try {
      if (inode.type != Statx.DIRECTORY && inode.type != Statx.REGULAR) {
        throw new IOException("file %d is of type %#o".formatted(file.handle(), inode.type));
      }
      int fd = inodes.openAgain(inode, flags);
      share.arrived(
          new OpenFile(file.handle(), inode, file.flags(), new Descriptor(fd), new Listing()));
    } catch (BlockFault e) {
      fail(
          "file %d ('%s') cannot be opened here: error %d"
              .formatted(file.handle(), paths.describe(inode), e.errno().number()));
    }
  }

  /** Lets go of what was made for a state that was not complete. */
  @Override
  public void close() {
    made.values().forEach(NamelessFile::close);
  }
}
