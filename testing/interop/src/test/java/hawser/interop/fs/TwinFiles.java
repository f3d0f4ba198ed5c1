package hawser.interop.fs;

import hawser.sys.FileCalls;
import hawser.sys.PathCalls;
import hawser.sys.Statx;
import hawser.testkit.fuse.Answer;
import hawser.testkit.fuse.Caller;
import hawser.testkit.fuse.Change;
import hawser.testkit.fuse.FuseOperations;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** What is done to open files and directories, on both sides. */
final class TwinFiles implements AutoCloseable {
  private static final int OPEN_MAX = 12;
  private static final int OFFSET_MAX = 20_000;
  private static final int BYTES_MAX = 9000;
  private static final int LISTING_ROOM = 512;

  /** An open file: the guest's handle, and the twin's descriptor. */
  private record Open(Twins.Known file, long handle, int fd, int flags) {}

  private final Twins twins;
  private final FuseOperations fuse;
  private final boolean all;
  private final List<Open> open = new ArrayList<>();

  /** With TMPFILE and COPY_FILE_RANGE, which virtiofsd lacks or answers in its own way, or not. */
  TwinFiles(Twins twins, boolean all) {
    this.all = all;
    this.twins = twins;
    this.fuse = twins.fuse;
  }

  private int anyFlags() {
    int flags = twins.any(FileCalls.O_RDONLY, FileCalls.O_WRONLY, FileCalls.O_RDWR);
    return flags | twins.any(0, 0, FileCalls.O_TRUNC, FileCalls.O_APPEND);
  }

  private void keep(Twins.Known file, long handle, long fd, int flags) {
    open.add(new Open(file, handle, (int) fd, flags));
    twins.inUse.add(file);
    if (open.size() > OPEN_MAX) {
      close(open.get(twins.dice.nextInt(open.size())));
    }
  }

  private void close(Open one) {
    twins.doing("release %d", one.handle);
    open.remove(one);
    twins.inUse.remove(one.file);
    fuse.flush(one.file.node(), one.handle, 0).ok();
    fuse.release(one.file.node(), one.handle).ok();
    FileCalls.close(one.fd);
  }

  void open() {
    Twins.Known file = twins.anyOf(Statx.REGULAR);
    if (file.isDirectory()) {
      return;
    }
    int flags = anyFlags();
    twins.doing("open %d %#x", file.node(), flags);
    Answer answer = fuse.open(file.node(), flags);
    long fd = PathCalls.openat(PathCalls.AT_FDCWD, file.path(), flags, 0);
    if (twins.same(answer, fd)) {
      keep(file, answer.opened().handle(), fd, flags);
    }
  }

  /** A guest asks for CREATE where it believes that nothing is: sometimes it is wrong. */
  void create() {
    Twins.Known in = twins.anyDirectory();
    String name = twins.anyName();
    Caller who = twins.anyMaker(in);
    int flags = anyFlags() | FileCalls.O_CREAT | twins.any(0, FileCalls.O_EXCL);
    long there = Twins.open(in, name);
    if (there >= 0) {
      boolean regular = twins.status((int) there).type() == Statx.REGULAR;
      FileCalls.close((int) there);
      if (!regular || who.uid() != 0) {
        return;
      }
    }
    int mode = twins.any(0644, 0600, 04755, 02644);
    twins.doing("create %d %s %#x %o as %s", in.node(), name, flags, mode, who);
    Answer answer = fuse.as(who).create(in.node(), name, flags, mode, 0);
    byte[] bytes = Twins.bytes(name);
    int hostFlags = flags | FileCalls.O_NOFOLLOW;
    long fd = Twins.as(who, () -> PathCalls.openat(in.fd(), bytes, hostFlags, mode));
    if (twins.same(answer, fd)) {
      Answer.Created created = answer.created();
      Twins.Known file = twins.learn(created.entry(), (int) Twins.open(in, name));
      keep(file, created.opened().handle(), fd, flags);
    }
  }

  void tmpfile() {
    if (!all) {
      return;
    }
    Twins.Known in = twins.anyDirectory();
    int mode = twins.any(0644, 0600);
    twins.doing("tmpfile %d %o", in.node(), mode);
    Answer answer = fuse.tmpfile(in.node(), FileCalls.O_RDWR, mode, 0);
    int flags = FileCalls.O_TMPFILE | FileCalls.O_RDWR;
    long fd = PathCalls.openat(in.fd(), Twins.bytes("."), flags, mode);
    if (twins.same(answer, fd)) {
      Answer.Created created = answer.created();
      byte[] path = PathCalls.ofDescriptor((int) fd);
      long known = PathCalls.openat(PathCalls.AT_FDCWD, path, FileCalls.O_PATH, 0);
      keep(twins.learn(created.entry(), (int) known), created.opened().handle(), fd, flags);
    }
  }

  /** Something with an open file. */
  void work() {
    if (open.isEmpty()) {
      return;
    }
    Open one = open.get(twins.dice.nextInt(open.size()));
    switch (twins.dice.nextInt(10)) {
      case 0, 1, 2 -> write(one);
      case 3, 4 -> read(one);
      case 5 -> fallocate(one);
      case 6 -> seek(one);
      case 7 -> {
        if (all) {
          copy(one, open.get(twins.dice.nextInt(open.size())));
        }
      }
      case 8 -> {
        if ((one.flags & FileCalls.O_ACCMODE) == FileCalls.O_RDONLY) {
          return;
        }
        int size = twins.dice.nextInt(OFFSET_MAX);
        twins.doing("ftruncate %d %d", one.handle, size);
        Answer answer = fuse.setattr(one.file.node(), Change.size(one.handle, size));
        twins.same(answer, FileCalls.ftruncate(one.fd, size));
      }
      default -> {
        twins.doing("fsync %d", one.handle);
        twins.same(
            fuse.fsync(one.file.node(), one.handle, twins.dice.nextBoolean()),
            FileCalls.fdatasync(one.fd));
      }
    }
    twins.sameAttributes(fuse.getattr(one.file.node(), one.handle).attributes(), one.fd);
  }

  private void write(Open one) {
    byte[] content = new byte[twins.dice.nextInt(BYTES_MAX)];
    twins.dice.nextBytes(content);
    boolean appends = (one.flags & FileCalls.O_APPEND) != 0;
    // A guest knows where the end is: what it appends, it sends with that offset.
    long offset = appends ? twins.status(one.fd).size() : twins.dice.nextInt(OFFSET_MAX);
    twins.doing("write %d at %d, %d bytes", one.handle, offset, content.length);
    Answer answer = fuse.write(one.file.node(), one.handle, offset, content);
    try (var arena = Arena.ofConfined()) {
      MemorySegment from = arena.allocate(BYTES_MAX);
      MemorySegment.copy(content, 0, from, ValueLayout.JAVA_BYTE, 0, content.length);
      long written = FileCalls.pwrite(one.fd, from.asSlice(0, content.length), offset);
      if (twins.same(answer, written)) {
        twins.same(answer.count(), (int) written);
      }
    }
  }

  private void read(Open one) {
    int bytes = 1 + twins.dice.nextInt(BYTES_MAX);
    int offset = twins.dice.nextInt(OFFSET_MAX);
    twins.doing("read %d at %d, %d bytes", one.handle, offset, bytes);
    Answer answer = fuse.read(one.file.node(), one.handle, offset, bytes);
    try (var arena = Arena.ofConfined()) {
      MemorySegment into = arena.allocate(bytes);
      long read = FileCalls.pread(one.fd, into, offset);
      if (twins.same(answer, read)) {
        twins.same(answer.data(), into.asSlice(0, read).toArray(ValueLayout.JAVA_BYTE));
      }
    }
  }

  private void fallocate(Open one) {
    int offset = twins.dice.nextInt(OFFSET_MAX);
    int bytes = twins.dice.nextInt(BYTES_MAX);
    int mode = twins.any(0, 1, 2, 3, 16, 17, 8, 0x4000);
    twins.doing("fallocate %d %d %d %d", one.handle, mode, offset, bytes);
    twins.same(
        fuse.fallocate(one.file.node(), one.handle, mode, offset, bytes),
        FileCalls.fallocate(one.fd, mode, offset, bytes));
  }

  private void seek(Open one) {
    int whence = twins.any(0, 2, 3, 4, 9);
    int offset = twins.dice.nextInt(OFFSET_MAX);
    twins.doing("lseek %d %d %d", one.handle, offset, whence);
    Answer answer = fuse.lseek(one.file.node(), one.handle, offset, whence);
    long result = FileCalls.lseek(one.fd, offset, whence);
    if (twins.same(answer, result)) {
      twins.same(answer.offset(), result);
    }
  }

  private void copy(Open from, Open to) {
    int source = twins.dice.nextInt(OFFSET_MAX);
    int target = twins.dice.nextInt(OFFSET_MAX);
    int bytes = twins.dice.nextInt(BYTES_MAX);
    twins.doing("copy %d at %d to %d at %d, %d", from.handle, source, to.handle, target, bytes);
    Answer answer =
        fuse.copyFileRange(
            new FuseOperations.Place(from.file.node(), from.handle, source),
            new FuseOperations.Place(to.file.node(), to.handle, target),
            bytes);
    long copied = FileCalls.copyFileRange(from.fd, source, to.fd, target, bytes);
    if (twins.same(answer, copied)) {
      twins.same(answer.count(), (int) copied);
    }
  }

  void list() {
    Twins.Known directory = twins.anyDirectory();
    if (!directory.isDirectory()) {
      return;
    }
    boolean plus = twins.dice.nextBoolean();
    twins.doing("list %d %s", directory.node(), plus);
    long node = directory.node();
    long handle = fuse.opendir(node).opened().handle();
    var names = new TreeSet<String>();
    long offset = 0;
    List<Answer.Dirent> some = page(node, handle, offset, plus);
    while (!some.isEmpty()) {
      for (Answer.Dirent one : some) {
        names.add(one.name());
        forget(one);
        offset = one.offset();
      }
      some = page(node, handle, offset, plus);
    }
    fuse.releasedir(node, handle).ok();
    names.removeAll(List.of(".", ".."));
    twins.same(names, namesOf(directory));
  }

  private List<Answer.Dirent> page(long node, long handle, long offset, boolean plus) {
    return plus
        ? fuse.readdirplus(node, handle, offset, LISTING_ROOM).listingPlus()
        : fuse.readdir(node, handle, offset, LISTING_ROOM).listing();
  }

  private void forget(Answer.Dirent one) {
    if (one.entry() != null && one.entry().node() != 0) {
      fuse.forget(one.entry().node(), 1);
    }
  }

  /** By the kernel's own names, which need not be UTF-8. */
  private Set<String> namesOf(Twins.Known directory) {
    var names = new TreeSet<String>();
    int flags = FileCalls.O_DIRECTORY;
    long fd = PathCalls.openat(PathCalls.AT_FDCWD, directory.path(), flags, 0);
    try (var arena = Arena.ofConfined()) {
      MemorySegment room = arena.allocate(32 << 10, 8);
      for (long end = FileCalls.getdents((int) fd, room); end > 0; ) {
        for (long at = 0; at < end; at += room.get(ValueLayout.JAVA_SHORT, at + 16)) {
          names.add(room.getString(at + 19, StandardCharsets.ISO_8859_1));
        }
        end = FileCalls.getdents((int) fd, room);
      }
    }
    FileCalls.close((int) fd);
    names.removeAll(List.of(".", ".."));
    return names;
  }

  @Override
  public void close() {
    while (!open.isEmpty()) {
      close(open.getFirst());
    }
  }
}
