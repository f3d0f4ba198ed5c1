package hawser.interop.fs;

import hawser.sys.FileCalls;
import hawser.sys.PathCalls;
import hawser.sys.Statx;
import hawser.sys.XattrCalls;
import hawser.testkit.fuse.Answer;
import hawser.testkit.fuse.Caller;
import hawser.testkit.fuse.Change;
import hawser.testkit.fuse.FuseOperations;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/** What is done to names and to files that are not open, on both sides. */
final class TwinNames {
  private static final int FIFO = 0x1000;
  private static final int CHARACTER_DEVICE = 0x2000;
  private static final int SOCKET = 0xc000;
  private static final int NULL_DEVICE = 0x103;
  private static final int PATH_MAX = 4096;

  private final Twins twins;
  private final FuseOperations fuse;

  TwinNames(Twins twins) {
    this.twins = twins;
    this.fuse = twins.fuse;
  }

  private int anyMode() {
    return twins.any(0644, 0755, 0777, 0777, 0600, 0, 01777, 02777, 04755, 02755);
  }

  /** Something that is no directory and not open. */
  void makeOne() {
    Twins.Known in = twins.anyDirectory();
    String name = twins.anyName();
    byte[] bytes = Twins.bytes(name);
    int mode = anyMode();
    Caller who = twins.anyMaker(in);
    FuseOperations guest = fuse.as(who);
    Answer answer;
    long result;
    switch (twins.dice.nextInt(4)) {
      case 0, 1 -> {
        twins.doing("mkdir %d %s %o as %s", in.node(), name, mode, who);
        answer = guest.mkdir(in.node(), name, mode, 0);
        result = Twins.as(who, () -> PathCalls.mkdirat(in.fd(), bytes, mode));
      }
      case 2 -> {
        String target = twins.any(0, 1) == 0 ? "../" + name : "t".repeat(twins.any(1, 100, 4095));
        twins.doing("symlink %d %s as %s", in.node(), name, who);
        answer = guest.symlink(in.node(), name, target);
        result = Twins.as(who, () -> PathCalls.symlinkat(Twins.bytes(target), in.fd(), bytes));
      }
      default -> {
        int type = twins.any(Statx.REGULAR, FIFO, SOCKET, CHARACTER_DEVICE);
        int device = type == CHARACTER_DEVICE ? NULL_DEVICE : 0;
        twins.doing("mknod %d %s %o as %s", in.node(), name, type | mode, who);
        answer = guest.mknod(in.node(), name, type | mode, device, 0);
        result = Twins.as(who, () -> PathCalls.mknodat(in.fd(), bytes, type | mode, device));
      }
    }
    if (twins.same(answer, result)) {
      twins.learn(answer.entry(), (int) Twins.open(in, name));
    }
  }

  void removeOne() {
    Twins.Known in = twins.anyDirectory();
    String name = twins.anyName();
    boolean directory = twins.dice.nextBoolean();
    twins.doing("%s %d %s", directory ? "rmdir" : "unlink", in.node(), name);
    int flags = directory ? PathCalls.AT_REMOVEDIR : 0;
    twins.same(
        directory ? fuse.rmdir(in.node(), name) : fuse.unlink(in.node(), name),
        PathCalls.unlinkat(in.fd(), Twins.bytes(name), flags));
  }

  void rename() {
    Twins.Known from = twins.anyDirectory();
    Twins.Known to = twins.anyDirectory();
    String name = twins.anyName();
    String other = twins.anyName();
    int flags = twins.any(0, 0, 1, 2, 3);
    twins.doing("rename %d %s %d %s %d", from.node(), name, to.node(), other, flags);
    Answer answer =
        flags == 0
            ? fuse.rename(from.node(), name, to.node(), other)
            : fuse.rename(from.node(), name, to.node(), other, flags);
    twins.same(
        answer,
        PathCalls.renameat2(from.fd(), Twins.bytes(name), to.fd(), Twins.bytes(other), flags));
  }

  void link() {
    Twins.Known file = twins.anyFile();
    Twins.Known in = twins.anyDirectory();
    String name = twins.anyName();
    twins.doing("link %d to %d %s", file.node(), in.node(), name);
    Answer answer = fuse.link(file.node(), in.node(), name);
    byte[] bytes = Twins.bytes(name);
    int flags = PathCalls.AT_SYMLINK_FOLLOW;
    long result = PathCalls.linkat(PathCalls.AT_FDCWD, file.path(), in.fd(), bytes, flags);
    if (twins.same(answer, result)) {
      twins.learn(answer.entry(), (int) Twins.open(in, name));
    }
  }

  void readlink() {
    Twins.Known link = twins.anyOf(Statx.SYMLINK);
    twins.doing("readlink %d", link.node());
    Answer answer = fuse.readlink(link.node());
    try (var arena = Arena.ofConfined()) {
      MemorySegment room = arena.allocate(PATH_MAX);
      long length = PathCalls.readlinkat(link.fd(), PathCalls.EMPTY, room);
      if (link.type() == Statx.SYMLINK && twins.same(answer, length)) {
        byte[] target = room.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
        twins.same(answer.text(), new String(target, StandardCharsets.ISO_8859_1));
      }
    }
  }

  void status() {
    Twins.Known file = twins.anyFile();
    twins.doing("getattr %d", file.node());
    twins.sameAttributes(fuse.getattr(file.node()).attributes(), file.fd());
  }

  void change() {
    Twins.Known file = twins.anyFile();
    Answer answer;
    long result;
    switch (twins.dice.nextInt(4)) {
      case 0 -> {
        int mode = anyMode();
        twins.doing("chmod %d %o", file.node(), mode);
        answer = fuse.setattr(file.node(), Change.mode(mode));
        result = PathCalls.chmod(file.path(), mode);
      }
      case 1 -> {
        int uid = twins.any(0, 1000);
        int gid = twins.any(0, 1000, 2000);
        twins.doing("chown %d %d %d", file.node(), uid, gid);
        answer = fuse.setattr(file.node(), Change.owner(uid, gid));
        result = PathCalls.chown(file.fd(), uid, gid);
      }
      case 2 -> {
        int size = twins.dice.nextInt(20_000);
        Twins.Known regular = twins.anyOf(Statx.REGULAR);
        if (regular.isDirectory()) {
          return;
        }
        twins.doing("truncate %d %d", regular.node(), size);
        file = regular;
        answer = fuse.setattr(file.node(), Change.size(size));
        result = truncate(file, size);
      }
      default -> {
        long atime = twins.any(0, 1, 1_700_000_000, -1);
        long mtime = twins.any(0, 2, 1_600_000_000);
        int nanos = twins.any(0, 999_999_999, 5);
        twins.doing("utimes %d %d %d %d", file.node(), atime, mtime, nanos);
        answer = fuse.setattr(file.node(), Change.times(atime, nanos, mtime, nanos));
        result = PathCalls.utimens(file.path(), atime, nanos, mtime, nanos);
        if (twins.same(answer, result)) {
          twins.sameTimes(answer.attributes(), file.fd());
        }
      }
    }
    if (twins.same(answer, result)) {
      twins.sameAttributes(answer.attributes(), file.fd());
    }
  }

  private static long truncate(Twins.Known file, long size) {
    int flags = FileCalls.O_RDWR | FileCalls.O_CLOEXEC;
    long fd = PathCalls.openat(PathCalls.AT_FDCWD, file.path(), flags, 0);
    if (fd < 0) {
      return fd;
    }
    long result = FileCalls.ftruncate((int) fd, size);
    FileCalls.close((int) fd);
    return result;
  }

  void attribute() {
    Twins.Known file = twins.anyFile();
    String name =
        List.of("user.a", "user.b", "user.c", "user.", "nothing.a", "user." + "l".repeat(251))
            .get(twins.dice.nextInt(6));
    byte[] bytes = Twins.bytes(name);
    switch (twins.dice.nextInt(5)) {
      case 0, 1 -> {
        byte[] value = new byte[twins.any(0, 1, 100, 1000)];
        Arrays.fill(value, (byte) twins.dice.nextInt());
        int flags = twins.any(0, 0, 1, 2);
        twins.doing("setxattr %d %s %d %d", file.node(), name, value.length, flags);
        twins.same(
            fuse.setxattr(file.node(), name, value, flags, twins.longSetxattr),
            XattrCalls.set(file.path(), bytes, value, flags));
      }
      case 2 -> {
        twins.doing("removexattr %d %s", file.node(), name);
        twins.same(fuse.removexattr(file.node(), name), XattrCalls.remove(file.path(), bytes));
      }
      case 3 -> {
        int room = twins.any(0, 10, 2000);
        twins.doing("getxattr %d %s %d", file.node(), name, room);
        value(
            fuse.getxattr(file.node(), name, room),
            room,
            into -> XattrCalls.get(file.path(), bytes, into));
      }
      default -> {
        int room = twins.any(0, 10, 2000);
        twins.doing("listxattr %d %d", file.node(), room);
        value(fuse.listxattr(file.node(), room), room, into -> XattrCalls.list(file.path(), into));
      }
    }
  }

  private interface Asked {
    long into(MemorySegment room);
  }

  private void value(Answer answer, int room, Asked asked) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment place = arena.allocate(Math.max(1, room)).asSlice(0, room);
      long size = asked.into(place);
      if (twins.same(answer, size)) {
        if (room == 0) {
          twins.same(answer.count(), (int) size);
        } else {
          twins.same(answer.data(), place.asSlice(0, size).toArray(ValueLayout.JAVA_BYTE));
        }
      }
    }
  }

  void lookup() {
    twins.lookup(twins.anyDirectory(), twins.anyName());
  }

  void forget() {
    twins.doing("forget");
    twins.forget(twins.anyFile());
  }
}
