package hawser.fs.passthrough;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.fs.dispatch.Call;
import hawser.fs.dispatch.FileSystem;
import hawser.fs.fuse.FuseReply;
import hawser.fs.fuse.FuseRequest;
import hawser.fs.fuse.RequestHeader;
import hawser.fs.journal.Attempt;
import hawser.fs.journal.Change;
import hawser.fs.journal.Succession;
import hawser.fs.state.SavedLock;
import hawser.fs.state.StateForms;
import hawser.sys.FileCalls;
import hawser.sys.Iovecs;
import hawser.sys.PathCalls;
import hawser.sys.Result;
import hawser.sys.Statx;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;

/** A folder of the host's, served to one guest. Safe from any thread. */
public final class PassThrough implements FileSystem {
  private final Share share;
  private final Names names;
  private final Files files;
  private final Directories directories;
  private final Statuses statuses;
  private final Xattrs xattrs;
  private final Locks locks;
  private final HiddenLinks hidden;
  private final MigrationOptions migration;
  private final Consumer<String> log;
  private final Progress progress;
  private final Leaving leaving;

  private PassThrough(
      Share share, MigrationOptions migration, Progress progress, Consumer<String> log) {
    this.share = share;
    this.progress = progress;
    this.migration = migration;
    this.log = log;
    this.hidden = new HiddenLinks(share.inodes);
    this.xattrs = new Xattrs(share);
    this.locks = new Locks(share);
    this.names = new Names(share, xattrs);
    this.files = new Files(share, xattrs, locks);
    this.directories = new Directories(share);
    this.statuses = new Statuses(share);
    this.leaving = new Leaving(share, locks, hidden, migration, progress, log);
  }

  /**
   * Shares a folder.
   *
   * @param log takes a line for what a person should know
   */
  public static PassThrough of(
      Path folder, ShareOptions options, MigrationOptions migration, Consumer<String> log)
      throws BlockFault {
    var journal = new Journal(null, log);
    return of(open(folder), options, migration, journal, new Progress(true), log);
  }

  /** The same, of whose guests nobody is told. */
  static PassThrough ofNobody(Path folder, ShareOptions options) throws BlockFault {
    Consumer<String> nobody = _ -> {};
    var journal = new Journal(null, nobody);
    return of(open(folder), options, MigrationOptions.USUAL, journal, new Progress(), nobody);
  }

  /**
   * Shares a folder so that another daemon can go on when this one dies, and goes on where one died
   * before, if it has left something.
   *
   * @param succession whose descriptors this takes over, also when it fails
   */
  public static PassThrough of(
      Path folder,
      ShareOptions options,
      MigrationOptions migration,
      Succession succession,
      Consumer<String> log)
      throws BlockFault {
    var journal = new Journal(succession.store(), log);
    Integer left = succession.left().get(Journal.ROOT_KEY);
    Descriptor root = left == null ? open(folder) : new Descriptor(left);
    if (left == null) {
      succession.store().keep(Journal.ROOT_KEY, root.fd);
    }
    PassThrough files = of(root, options, migration, journal, new Progress(true), log);
    if (!Recovery.run(files.share, files.locks, succession)) {
      Snapshot.begin(files.share, files.locks);
    }
    return files;
  }

  private static Descriptor open(Path folder) throws BlockFault {
    byte[] path = folder.toString().getBytes(StandardCharsets.UTF_8);
    int flags = FileCalls.O_PATH | FileCalls.O_DIRECTORY | FileCalls.O_CLOEXEC;
    long fd = PathCalls.openat(PathCalls.AT_FDCWD, path, flags, 0);
    return new Descriptor((int) Result.orFault(fd, "cannot share " + folder));
  }

  private static PassThrough of(
      Descriptor root,
      ShareOptions options,
      MigrationOptions migration,
      Journal journal,
      Progress progress,
      Consumer<String> log)
      throws BlockFault {
    var status = new Statx();
    Result.orFault(PathCalls.statx(root.fd, status), "cannot look at the shared folder");
    FileHandles handles = FileHandles.of(options.handles(), root, log);
    var inodes =
        new Inodes(root, status, Inodes.COUNT_MAX, options.descriptorsMax(), journal, handles);
    return new PassThrough(new Share(options, inodes, journal), migration, progress, log);
  }

  @Override
  public FuseReply init(FuseRequest.Init init) {
    if (!Features.knows(init)) {
      return new FuseReply.Failed(Errno.EPROTO.number());
    }
    long lacking = Features.lacking(init, share.options);
    if (lacking != 0) {
      log.accept("the guest's kernel has no " + Features.names(lacking));
      return new FuseReply.Failed(Errno.EPROTO.number());
    }
    destroy();
    FuseReply.Agreed agreed = Features.agree(init, share.options);
    share.agreed = agreed.flags();
    share.mounted = true;
    share.journal.record(new Change.Settled(share.settings()));
    return agreed;
  }

  @Override
  public OptionalLong agreedBefore() {
    return share.mounted ? OptionalLong.of(share.agreed) : OptionalLong.empty();
  }

  @Override
  public void destroy() {
    leaving.cancel();
    locks.clear();
    share.clear();
    share.agreed = 0;
    share.mounted = false;
    hidden.remove();
  }

  @Override
  public void prepare() {
    leaving.prepare();
  }

  @Override
  public void cancel() {
    leaving.cancel();
  }

  @Override
  public void save(OutputStream to) throws IOException {
    leaving.save(to);
    locks.giveUp();
  }

  @Override
  public List<String> obstacles() throws IOException {
    return leaving.obstacles();
  }

  /** What a migration would mean now; the guest may be at work. */
  public Survey survey() throws IOException {
    return leaving.survey(new Progress());
  }

  /** How far a guest's departure or arrival is. */
  public Progress progress() {
    return progress;
  }

  @Override
  public OptionalLong load(InputStream from) throws IOException {
    destroy();
    // What arrives counts as a whole or not at all.
    share.journal.end();
    progress.begin(Progress.Phase.LOADING);
    boolean well = false;
    boolean goOn = migration.onError() == MigrationOptions.OnError.GUEST_ERROR;
    try (var loader =
        new StateLoader(share, files, locks, migration.limits(), goOn, log, progress)) {
      StateForms.read(progress.counting(from), loader);
      well = true;
    } finally {
      Progress.Now report = progress.arrived(well);
      log.accept((well ? "arrived: " : "could not arrive: ") + report);
      Snapshot.begin(share, locks);
    }
    return agreedBefore();
  }

  @Override
  public void resumed() {
    leaving.stayed();
    hidden.remove();
    for (SavedLock lock : locks.takeBack()) {
      log.accept("a lock of the guest's has been taken by somebody else: " + lock);
    }
  }

  @Override
  public long read(long handle, long offset, Iovecs into, boolean mayWait) {
    return files.read(handle, offset, into, mayWait);
  }

  @Override
  public long write(long unique, long handle, long offset, int flags, Iovecs from) {
    return share.options.readOnly()
        ? -Errno.EROFS.number()
        : files.write(unique, handle, offset, flags, from);
  }

  @Override
  public FuseReply handle(Call call, FuseRequest request) {
    try {
      if (share.options.readOnly() && changes(request)) {
        throw Kernel.no(Errno.EROFS);
      }
      begin(call.header().unique());
      return serve(call, call.header(), request);
    } catch (BlockFault e) {
      return new FuseReply.Failed(e.errno().number());
    }
  }

  /** A request that a daemon died over begins anew, as far as it can. */
  private void begin(long unique) {
    Journal journal = share.journal;
    if (!journal.isOn()) {
      return;
    }
    journal.serves(unique);
    Attempt earlier = journal.earlier();
    if (earlier != null) {
      share.takeBack(earlier);
    }
    if (journal.isLong()) {
      Thread.ofPlatform().daemon().name("fs-journal").start(() -> Snapshot.beginAnew(share, locks));
    }
  }

  private static boolean changes(FuseRequest request) {
    return switch (request) {
      case FuseRequest.Setattr _,
          FuseRequest.Symlink _,
          FuseRequest.Mknod _,
          FuseRequest.Mkdir _,
          FuseRequest.Unlink _,
          FuseRequest.Rmdir _,
          FuseRequest.Rename _,
          FuseRequest.Link _,
          FuseRequest.Create _,
          FuseRequest.Tmpfile _,
          FuseRequest.Setxattr _,
          FuseRequest.Removexattr _,
          FuseRequest.Fallocate _,
          FuseRequest.CopyFileRange _ ->
          true;
      case FuseRequest.Open open ->
          (open.flags() & (FileCalls.O_ACCMODE | FileCalls.O_TRUNC)) != FileCalls.O_RDONLY;
      default -> false;
    };
  }

  /** Forgets each once, however often it is asked for. */
  private FuseReply forget(List<FuseRequest.BatchForget.One> nodes) {
    Attempt earlier = share.journal.earlier();
    nodes.stream()
        .skip(earlier == null ? 0 : earlier.forgotten())
        .forEach(one -> share.inodes.forget(one.nodeId(), one.lookups()));
    return new FuseReply.None();
  }

  private FuseReply serve(Call call, RequestHeader who, FuseRequest request) throws BlockFault {
    return switch (request) {
      case FuseRequest.Lookup lookup -> names.lookup(call, lookup);
      case FuseRequest.Forget(long lookups) ->
          forget(List.of(new FuseRequest.BatchForget.One(who.nodeId(), lookups)));
      case FuseRequest.BatchForget batch -> forget(batch.nodes());
      case FuseRequest.Getattr getattr -> statuses.getattr(who, getattr);
      case FuseRequest.Statx statx -> statuses.statx(who, statx);
      case FuseRequest.Setattr setattr -> statuses.setattr(who, setattr);
      case FuseRequest.Access access -> statuses.access(who, access);
      case FuseRequest.Statfs _ -> statuses.statfs(call);
      case FuseRequest.Syncfs _ -> statuses.syncfs(who);
      case FuseRequest.Readlink _ -> names.readlink(call);
      case FuseRequest.Symlink symlink -> names.symlink(call, symlink);
      case FuseRequest.Mknod mknod -> names.mknod(call, mknod);
      case FuseRequest.Mkdir mkdir -> names.mkdir(call, mkdir);
      case FuseRequest.Unlink unlink -> names.unlink(who, unlink.name(), false);
      case FuseRequest.Rmdir rmdir -> names.unlink(who, rmdir.name(), true);
      case FuseRequest.Rename rename -> names.rename(who, rename);
      case FuseRequest.Link link -> names.link(call, link);
      case FuseRequest.Open open -> files.open(call, open);
      case FuseRequest.Create create -> files.create(call, create);
      case FuseRequest.Tmpfile tmpfile -> files.tmpfile(call, tmpfile);
      case FuseRequest.Release release -> files.release(release);
      case FuseRequest.Flush flush -> files.flush(flush);
      case FuseRequest.Fsync(long handle, boolean dataOnly) -> files.fsync(handle, dataOnly);
      case FuseRequest.Fallocate fallocate -> files.fallocate(fallocate);
      case FuseRequest.Lseek lseek -> files.lseek(lseek);
      case FuseRequest.CopyFileRange copy -> files.copyFileRange(copy);
      case FuseRequest.Opendir opendir -> directories.open(call, opendir);
      case FuseRequest.Readdir readdir -> directories.read(call, readdir);
      case FuseRequest.Releasedir releasedir -> directories.release(releasedir);
      case FuseRequest.Fsyncdir(long handle, boolean dataOnly) -> files.fsync(handle, dataOnly);
      case FuseRequest.Getxattr get -> xattrs.get(call, get);
      case FuseRequest.Listxattr list -> xattrs.list(call, list);
      case FuseRequest.Setxattr set -> xattrs.set(call, set);
      case FuseRequest.Removexattr remove -> xattrs.remove(call, remove);
      case FuseRequest.Getlk getlk -> locks.get(share.file(getlk.handle()), getlk);
      case FuseRequest.Setlk setlk -> locks.set(call, share.file(setlk.handle()), setlk);
      case FuseRequest.Ioctl _, FuseRequest.Unsupported _ -> throw Kernel.no(Errno.ENOSYS);
      case FuseRequest.Init _, FuseRequest.Destroy _, FuseRequest.Interrupt _ ->
          throw new AssertionError("not for a file system: " + request);
    };
  }

  @Override
  public void close() {
    leaving.cancel();
    locks.clear();
    share.clear();
    share.inodes.close();
  }
}
