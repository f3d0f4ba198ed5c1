package hawser.fs.passthrough;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.fs.Name;
import hawser.fs.fuse.Attributes;
import hawser.fs.fuse.Entry;
import hawser.fs.fuse.InitFlag;
import hawser.fs.fuse.RequestHeader;
import hawser.fs.fuse.Time;
import hawser.fs.identity.IdMap;
import hawser.fs.journal.Attempt;
import hawser.fs.state.Identity;
import hawser.fs.state.SavedSettings;
import hawser.sys.PathCalls;
import hawser.sys.Statx;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** What all operations on a shared folder have in common. Safe from any thread. */
final class Share {
  /** To the host's kernel this is no user or group, but whichever it was before. */
  private static final int NOBODY = -1;

  private static final ThreadLocal<Statx> STATUS = ThreadLocal.withInitial(Statx::new);

  final ShareOptions options;
  final Inodes inodes;
  final Journal journal;
  final LongTable<OpenFile> files = new LongTable<>();

  /** The flags that INIT agreed to. */
  volatile long agreed;

  /** Whether a kernel has mounted the share. */
  volatile boolean mounted;

  private long nextHandle = 1;

  Share(ShareOptions options, Inodes inodes, Journal journal) {
    this.options = options;
    this.inodes = inodes;
    this.journal = journal;
  }

  /** Room for what the kernel says of a file: the calling thread's, until it asks again. */
  static Statx room() {
    return STATUS.get();
  }

  /** The open file that the guest means. */
  OpenFile file(long handle) throws BlockFault {
    OpenFile file = files.get(handle);
    if (file == null) {
      throw Kernel.no(Errno.EBADF);
    }
    return file;
  }

  /** A file is open from now on. */
  OpenFile opened(Inode inode, int flags, int fd) {
    OpenFile file;
    synchronized (this) {
      file = new OpenFile(nextHandle++, inode, flags, new Descriptor(fd), new Listing());
    }
    files.add(file.handle(), file);
    inodes.opened(file);
    return file;
  }

  /**
   * What a name in a directory leads to; {@link Identity#UNKNOWN} when to nothing. Uses {@link
   * #room}.
   */
  static Identity leadsTo(Descriptor directory, Name name) {
    Statx status = room();
    int flags = PathCalls.AT_SYMLINK_NOFOLLOW;
    return PathCalls.statx(directory.fd, name.bytes(), flags, status) == 0
        ? FileId.of(status).identity()
        : Identity.UNKNOWN;
  }

  /** Whether a daemon that died over this request has made the name that it is to make. */
  boolean hasMade(Descriptor directory, Name name) {
    if (!journal.isOn()) {
      return false;
    }
    Identity now = leadsTo(directory, name);
    journal.begun(now, Identity.UNKNOWN);
    Attempt earlier = journal.earlier();
    return earlier != null
        && Identity.UNKNOWN.equals(earlier.first())
        && !Identity.UNKNOWN.equals(now);
  }

  /** Whether a daemon that died over this request has closed what it is to close. */
  boolean hasClosed() {
    Attempt earlier = journal.earlier();
    return earlier != null && earlier.closed();
  }

  /** Takes back what a daemon had done that died over this request, which is served again. */
  void takeBack(Attempt earlier) {
    if (earlier.found().isEmpty() && earlier.opened().isEmpty()) {
      return;
    }
    journal.takingBack(() -> forget(earlier));
  }

  /** Closes what was opened for a request, and lets the guest forget what it was told. */
  void forget(Attempt attempt) {
    for (long handle : attempt.opened()) {
      boolean _ = forgetFile(handle);
    }
    attempt.found().forEach(nodeId -> inodes.forget(nodeId, 1));
  }

  /** Closes an open file. */
  void close(long handle) throws BlockFault {
    if (!forgetFile(handle)) {
      throw Kernel.no(Errno.EBADF);
    }
  }

  /** As {@link #close}; whether there was such a file. */
  boolean forgetFile(long handle) {
    OpenFile file = files.remove(handle);
    if (file == null) {
      return false;
    }
    inodes.closed(file);
    file.descriptor().release();
    return true;
  }

  /** The guest knows nothing any more. */
  void clear() {
    files.clear(
        file -> {
          inodes.closed(file);
          file.descriptor().release();
        });
    inodes.clear();
  }

  /**
   * The result of an action that makes a file. The guest's kernel has taken its umask from the
   * permissions already, unless access lists are the host's: then the umask counts only where no
   * list does, which the host's kernel knows.
   */
  long masked(int umask, Credentials.Action action) {
    return InitFlag.DONT_MASK.in(agreed)
        ? Credentials.withUmask(umask & 0777, action)
        : action.run();
  }

  /** The result of an action as the user who asks, in a further group where one is given. */
  long as(RequestHeader who, OptionalInt group, Credentials.Action action) throws BlockFault {
    return Credentials.as(
        userOnHost(who.uid()),
        groupOnHost(who.gid()),
        group.isPresent() ? OptionalInt.of(groupOnHost(group.getAsInt())) : group,
        action);
  }

  /** The host's number of a user of the guest's. */
  int userOnHost(int uid) throws BlockFault {
    return allowed(options.translation().users().onHost(uid));
  }

  /** The host's number of a group of the guest's. */
  int groupOnHost(int gid) throws BlockFault {
    return allowed(options.translation().groups().onHost(gid));
  }

  private static int allowed(long id) throws BlockFault {
    if (id == IdMap.FORBIDDEN) {
      throw Kernel.no(Errno.EPERM);
    }
    if ((int) id == NOBODY) {
      throw Kernel.no(Errno.EINVAL);
    }
    return (int) id;
  }

  /** What the guest is told of an inode that it looked up. */
  Entry entry(Inode inode, Statx status) {
    Time valid = options.cache().valid();
    return new Entry(inode.nodeId, 0, valid, valid, attributes(inode, status));
  }

  /** A file's attributes as the guest sees them. */
  Attributes attributes(Inode inode, Statx status) {
    return new Attributes(
        inode.visibleInode,
        status.size(),
        status.blocks(),
        new Time(status.atimeSeconds(), status.atimeNanos()),
        new Time(status.mtimeSeconds(), status.mtimeNanos()),
        new Time(status.ctimeSeconds(), status.ctimeNanos()),
        status.mode(),
        status.links(),
        options.translation().users().inGuest(status.uid()),
        options.translation().groups().inGuest(status.gid()),
        Device.pack(status.deviceMajor(), status.deviceMinor()),
        status.blockSize(),
        isSubmount(inode, status) ? Attributes.SUBMOUNT : 0);
  }

  private boolean isSubmount(Inode inode, Statx status) {
    return InitFlag.SUBMOUNTS.in(agreed) && status.mountRoot() && inode != inodes.root();
  }

  /** What was agreed with the guest, and where its numbers go on. */
  synchronized SavedSettings settings() {
    return new SavedSettings(mounted, agreed, inodes.nextNode(), nextHandle);
  }

  /** All open files. */
  List<OpenFile> openFiles() {
    var all = new ArrayList<OpenFile>();
    files.forEach((_, file) -> all.add(file));
    return all;
  }

  /** A guest arrives that has mounted elsewhere. */
  synchronized void arrived(SavedSettings settings) {
    mounted = settings.mounted();
    agreed = settings.agreed();
    nextHandle = settings.nextHandle();
  }

  /** A file that an arriving guest holds open. */
  synchronized void arrived(OpenFile file) {
    nextHandle = Math.max(nextHandle, file.handle() + 1);
    files.add(file.handle(), file);
    inodes.opened(file);
  }
}
