package hawser.interop.fs;

import static hawser.testkit.fuse.FuseOperations.ROOT_NODE;
import static org.assertj.core.api.Assertions.assertThat;

import hawser.sys.FileCalls;
import hawser.sys.PathCalls;
import hawser.sys.Statx;
import hawser.sys.ThreadCalls;
import hawser.testkit.fuse.Answer;
import hawser.testkit.fuse.Attributes;
import hawser.testkit.fuse.Caller;
import hawser.testkit.fuse.Entry;
import hawser.testkit.fuse.FuseOperations;
import hawser.testkit.fuse.InitFlags;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.LongSupplier;

/**
 * Two folders to which the same is done: one through a daemon, the other by system calls. Each file
 * that the guest knows has a descriptor (O_PATH) of its twin, so that both can go on when the names
 * are gone. Belongs to a thread that has nothing else to do: its umask and groups are changed.
 */
final class Twins implements AutoCloseable {
  /** Files known at most: the test's own descriptors are limited too. */
  private static final int KNOWN_MAX = 150;

  private static final int LAST_DONE = 30;

  /** A file that the guest knows, and its twin. */
  record Known(long node, int fd, int type) {
    boolean isDirectory() {
      return type == Statx.DIRECTORY;
    }

    byte[] path() {
      return PathCalls.ofDescriptor(fd);
    }
  }

  final FuseOperations fuse;
  final Random dice;
  final List<Known> known = new ArrayList<>();

  /** Those that are open, once for each time: a guest does not forget them. */
  final List<Known> inUse = new ArrayList<>();

  private final List<String> done = new ArrayList<>();
  private final Statx status = new Statx();
  private final long seed;

  /** SETXATTR has its long form. */
  final boolean longSetxattr;

  /** Begins, for INIT is the first request. */
  Twins(FuseOperations fuse, Path twin, long seed) {
    this.fuse = fuse;
    this.longSetxattr = (fuse.init().agreed().flags() & InitFlags.SETXATTR_EXT) != 0;
    this.seed = seed;
    this.dice = new Random(seed);
    assertThat(ThreadCalls.ownUmask()).isZero();
    ThreadCalls.umask(0);
    assertThat(ThreadCalls.setGroups()).isZero();
    long fd = FileCalls.open(twin.toString(), FileCalls.O_PATH | FileCalls.O_DIRECTORY, 0);
    assertThat(fd).isPositive();
    known.add(new Known(ROOT_NODE, (int) fd, Statx.DIRECTORY));
  }

  static byte[] bytes(String name) {
    return name.getBytes(StandardCharsets.ISO_8859_1);
  }

  /** One of these. */
  int any(int... choices) {
    return choices[dice.nextInt(choices.length)];
  }

  Known anyFile() {
    return known.get(dice.nextInt(known.size()));
  }

  /** Mostly a directory. */
  Known anyDirectory() {
    List<Known> directories = known.stream().filter(Known::isDirectory).toList();
    return dice.nextInt(50) == 0 ? anyFile() : directories.get(dice.nextInt(directories.size()));
  }

  Known anyOf(int type) {
    List<Known> some = known.stream().filter(file -> file.type == type).toList();
    return some.isEmpty() ? known.getFirst() : some.get(dice.nextInt(some.size()));
  }

  /** Of few names, so that they meet; among them one that is no UTF-8 and one that is too long. */
  String anyName() {
    return switch (dice.nextInt(40)) {
      case 0 -> "x".repeat(255);
      case 1 -> "x".repeat(256);
      case 2, 3 -> "n\u00ff\u00e9";
      default -> "n" + dice.nextInt(12);
    };
  }

  /** Notes what is about to be done, for the report of a difference. */
  void doing(String what, Object... with) {
    done.add(what.formatted(with));
    if (done.size() > LAST_DONE) {
      done.removeFirst();
    }
  }

  private String report() {
    return "seed %d: %s".formatted(seed, String.join("\n", done));
  }

  /** Compares errors; whether there was none. {@code result} is a system call's. */
  boolean same(Answer answer, long result) {
    assertThat(answer.error()).as(this::report).isEqualTo(result < 0 ? (int) -result : 0);
    return result >= 0;
  }

  void same(Object guest, Object host) {
    assertThat(guest).as(this::report).isEqualTo(host);
  }

  Statx status(int fd) {
    assertThat(PathCalls.statx(fd, status)).isZero();
    return status;
  }

  /** Compares all that is alike in twins: no times, no numbers of inodes. */
  void sameAttributes(Attributes guest, int fd) {
    Statx host = status(fd);
    same(Integer.toOctalString(guest.mode()), Integer.toOctalString(host.mode()));
    same(guest.uid() + ":" + guest.gid(), host.uid() + ":" + host.gid());
    same(guest.links(), host.links());
    if (host.type() != Statx.DIRECTORY) {
      same(guest.size(), host.size());
    }
    int device = host.deviceMajor() << 8 | host.deviceMinor();
    same(guest.rdev(), device);
  }

  /** Compares times as SETATTR has set them. */
  void sameTimes(Attributes guest, int fd) {
    Statx host = status(fd);
    same(
        List.of(guest.atime(), guest.atimeNanos(), guest.mtime(), guest.mtimeNanos()),
        List.of(host.atimeSeconds(), host.atimeNanos(), host.mtimeSeconds(), host.mtimeNanos()));
  }

  /** Both know one more file. */
  Known learn(Entry entry, int fd) {
    sameAttributes(entry.attributes(), fd);
    var file = new Known(entry.node(), fd, status(fd).type());
    known.add(file);
    while (known.size() > KNOWN_MAX) {
      forget(known.get(1 + dice.nextInt(known.size() - 1)));
    }
    return file;
  }

  /** Both know one less, unless it is the shared folder or open. */
  void forget(Known file) {
    if (file.node != ROOT_NODE && !inUse.contains(file)) {
      known.remove(file);
      fuse.forget(file.node, 1);
      FileCalls.close(file.fd);
    }
  }

  /** Looks up a name on both sides. */
  void lookup(Known directory, String name) {
    doing("lookup %d %s", directory.node, name);
    Answer answer = fuse.lookup(directory.node, name);
    long fd = open(directory, name);
    if (same(answer, fd)) {
      learn(answer.entry(), (int) fd);
    }
  }

  /** What stands for a name's twin. */
  static long open(Known directory, String name) {
    int flags = FileCalls.O_PATH | FileCalls.O_NOFOLLOW | FileCalls.O_CLOEXEC;
    return PathCalls.openat(directory.fd, bytes(name), flags, 0);
  }

  /** Somebody who may make something in a directory: root, or where all may, others. */
  Caller anyMaker(Known directory) {
    boolean open = (status(directory.fd).mode() & 3) == 3;
    return open && dice.nextBoolean() ? new Caller(1000, any(1000, 2000), 7) : Caller.ROOT;
  }

  /** The result of a system call as somebody. */
  static long as(Caller caller, LongSupplier call) {
    assertThat(ThreadCalls.actAsGroup(caller.gid())).isTrue();
    assertThat(ThreadCalls.actAsUser(caller.uid())).isTrue();
    try {
      return call.getAsLong();
    } finally {
      ThreadCalls.actAsUser(0);
      ThreadCalls.actAsGroup(0);
    }
  }

  @Override
  public void close() {
    known.forEach(file -> FileCalls.close(file.fd));
  }
}
