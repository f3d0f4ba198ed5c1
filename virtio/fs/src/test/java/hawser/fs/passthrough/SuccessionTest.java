package hawser.fs.passthrough;

import static hawser.fs.passthrough.Inodes.ROOT_ID;
import static org.assertj.core.api.Assertions.assertThat;

import hawser.base.BlockFault;
import hawser.fs.Name;
import hawser.fs.dispatch.Caller;
import hawser.fs.fuse.Extensions;
import hawser.fs.fuse.FileLock;
import hawser.fs.fuse.FuseReply;
import hawser.fs.fuse.FuseRequest;
import hawser.fs.fuse.InitFlag;
import hawser.fs.journal.Change;
import hawser.fs.journal.DescriptorStore;
import hawser.fs.journal.JournalFile;
import hawser.fs.journal.Succession;
import hawser.fs.state.Location;
import hawser.fs.state.SavedAttribute;
import hawser.fs.state.SavedFile;
import hawser.fs.state.SavedInode;
import hawser.fs.state.SavedLock;
import hawser.fs.state.SavedOption;
import hawser.fs.state.SavedSettings;
import hawser.fs.state.StateForms;
import hawser.fs.state.StateSink;
import hawser.sys.FileCalls;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A daemon that goes on where one died: with all that the guest knew, and without doing anything
 * twice that was done. The one that dies is left alone at any step of its journal.
 */
class SuccessionTest {
  private static final int O_RDWR = 2;
  private static final int O_WRONLY = 1;
  private static final int O_EXCL = 0x80;
  private static final int O_APPEND = 0x400;
  private static final int FIFO = 0010000;
  private static final long OWNER = 77;

  /** More than a journal holds before it begins anew. */
  private static final int LOOKUPS = 60_000;

  @TempDir Path top;
  private final List<String> log = new ArrayList<>();
  private final List<PassThrough> daemons = new ArrayList<>();
  private final Keeping keeping = new Keeping();

  @AfterEach
  void close() {
    daemons.forEach(PassThrough::close);
    daemons.clear();
    keeping.close();
  }

  /**
   * Keeps copies of all descriptors that it was ever given, unless a test says otherwise: a daemon
   * may die before it drops one.
   */
  private static final class Keeping implements DescriptorStore, AutoCloseable {
    private final TreeMap<Long, Integer> kept = new TreeMap<>();

    @Override
    public synchronized void keep(long key, int fd) {
      Integer before = kept.put(key, copy(fd));
      if (before != null) {
        FileCalls.close(before);
      }
    }

    boolean drops;

    @Override
    public synchronized void drop(long key) {
      Integer gone = drops ? kept.remove(key) : null;
      if (gone != null) {
        FileCalls.close(gone);
      }
    }

    private static int copy(int fd) {
      return (int) FileCalls.duplicate(fd);
    }

    /** What a daemon has written down so far. */
    List<Change> changes() throws BlockFault {
      var changes = new ArrayList<Change>();
      JournalFile.resume(copy(kept.get(Journal.JOURNAL_KEY)), changes::add).close();
      return changes;
    }

    /** What a daemon leaves that dies when it has written so many changes down. */
    Map<Long, Integer> left(int count) throws BlockFault {
      List<Change> changes = changes();
      JournalFile cut = JournalFile.create();
      for (Change change : changes.subList(0, count)) {
        cut.add(change);
      }
      cut.flush();
      keep(Journal.JOURNAL_KEY, cut.fd());
      cut.close();
      var left = new HashMap<Long, Integer>();
      kept.forEach((key, fd) -> left.put(key, copy(fd)));
      return left;
    }

    @Override
    public void close() {
      kept.values().forEach(FileCalls::close);
      kept.clear();
    }
  }

  private PassThrough daemon(Path folder, Map<Long, Integer> left) throws BlockFault {
    var succession = new Succession(keeping, left);
    PassThrough daemon =
        PassThrough.of(folder, StateTest.OPTIONS, MigrationOptions.USUAL, succession, log::add);
    daemons.add(daemon);
    return daemon;
  }

  /** A guest that has looked up and opened this and that. */
  static final class Guest {
    final Caller caller;
    final long directory;
    final long known;
    final long other;
    final long empty;
    final FuseReply.Created open;
    final long listing;

    Guest(PassThrough files) throws IOException {
      caller = new Caller(files, InitFlag.POSIX_LOCKS, InitFlag.FLOCK_LOCKS);
      directory = caller.mkdir(ROOT_ID, "directory");
      open = caller.create(directory, Name.of("open"), "open");
      known = made("known");
      other = made("other");
      empty = caller.mkdir(directory, "empty");
      var opened = (FuseReply.Opened) caller.ask(directory, new FuseRequest.Opendir(0));
      listing = opened.open().handle();
    }

    private long made(String name) {
      FuseReply.Created made = caller.create(directory, Name.of(name), name);
      caller.ask(made.entry().nodeId(), new FuseRequest.Release(made.open().handle(), 0, 0, 0));
      return made.entry().nodeId();
    }

    long handle() {
      return open.open().handle();
    }

    FuseRequest lock(int flags) {
      return new FuseRequest.Setlk(
          handle(), OWNER, new FileLock(3, 9, FileLock.WRITE, 1), flags, false);
    }
  }

  /** A request of a guest's: about which inode, and what. */
  record Asked(long nodeId, FuseRequest request) {}

  interface Asking {
    Asked of(Guest guest);
  }

  private static Map<String, Asking> requests() {
    var made = new LinkedHashMap<String, Asking>();
    Name anew = Name.of("new");
    made.put("lookup", g -> new Asked(g.directory, new FuseRequest.Lookup(Name.of("known"))));
    made.put(
        "mkdir",
        g -> new Asked(g.directory, new FuseRequest.Mkdir(anew, 0755, 0, Extensions.NONE)));
    made.put(
        "mknod",
        g ->
            new Asked(
                g.directory, new FuseRequest.Mknod(anew, FIFO | 0644, 0, 0, Extensions.NONE)));
    made.put(
        "symlink",
        g -> new Asked(g.directory, new FuseRequest.Symlink(anew, anew, Extensions.NONE)));
    made.put("link", g -> new Asked(g.directory, new FuseRequest.Link(g.known, anew)));
    made.put("unlink", g -> new Asked(g.directory, new FuseRequest.Unlink(Name.of("known"))));
    made.put("unlink, open", g -> new Asked(g.directory, new FuseRequest.Unlink(Name.of("open"))));
    made.put("rmdir", g -> new Asked(g.directory, new FuseRequest.Rmdir(Name.of("empty"))));
    made.put("rename", g -> rename(g, "known", "new", 0));
    made.put("rename over another", g -> rename(g, "known", "other", 0));
    made.put("rename over an open one", g -> rename(g, "known", "open", 0));
    made.put("rename, exchange", g -> rename(g, "known", "other", 2));
    made.put("create", g -> create(g, "new", O_RDWR));
    made.put("create, exclusively", g -> create(g, "new", O_RDWR | O_EXCL));
    made.put("create, exclusively what is there", g -> create(g, "known", O_RDWR | O_EXCL));
    made.put("create what is there", g -> create(g, "known", O_RDWR));
    made.put(
        "tmpfile",
        g -> new Asked(g.directory, new FuseRequest.Tmpfile(O_RDWR, 0644, 0, 0, Extensions.NONE)));
    made.put("open", g -> new Asked(g.known, new FuseRequest.Open(O_RDWR, 0)));
    made.put("opendir", g -> new Asked(g.empty, new FuseRequest.Opendir(0)));
    made.put(
        "readdirplus",
        g -> new Asked(g.directory, new FuseRequest.Readdir(g.listing, 0, 4096, true)));
    made.put("releasedir", g -> new Asked(g.directory, new FuseRequest.Releasedir(g.listing)));
    made.put(
        "release",
        g -> new Asked(g.open.entry().nodeId(), new FuseRequest.Release(g.handle(), O_RDWR, 0, 0)));
    made.put("forget", g -> new Asked(g.known, new FuseRequest.Forget(1)));
    made.put(
        "batch forget",
        g ->
            new Asked(
                0,
                new FuseRequest.BatchForget(
                    List.of(
                        new FuseRequest.BatchForget.One(g.known, 1),
                        new FuseRequest.BatchForget.One(g.directory, 1),
                        new FuseRequest.BatchForget.One(g.other, 1)))));
    made.put(
        "setxattr",
        g ->
            new Asked(
                g.known, new FuseRequest.Setxattr(Name.of("user.x"), Name.of("value"), 1, 0)));
    made.put("lock", g -> new Asked(g.open.entry().nodeId(), g.lock(0)));
    made.put(
        "lock it all", g -> new Asked(g.open.entry().nodeId(), g.lock(FuseRequest.Setlk.FLOCK)));
    return made;
  }

  private static Asked rename(Guest g, String from, String to, int flags) {
    return new Asked(
        g.directory, new FuseRequest.Rename(Name.of(from), g.directory, Name.of(to), flags));
  }

  private static Asked create(Guest g, String name, int flags) {
    return new Asked(
        g.directory, new FuseRequest.Create(Name.of(name), flags, 0644, 0, 0, Extensions.NONE));
  }

  static Stream<Arguments> requestsByName() {
    return requests().entrySet().stream()
        .map(request -> Arguments.of(request.getKey(), request.getValue()));
  }

  /**
   * The daemon has done all of it, and dies when it has written any part of it down; from where it
   * says what it begins with, for before that it does nothing. Then its successor dies as well.
   */
  @ParameterizedTest(name = "{0}")
  @MethodSource("requestsByName")
  void nothingIsDoneTwice(String name, Asking asking) throws Exception {
    int steps = 1;
    for (int cut = 0; cut <= steps; cut++) {
      Path folder = Files.createDirectory(top.resolve(name + cut));
      PassThrough first = daemon(folder, Map.of());
      var guest = new Guest(first);
      int before = keeping.changes().size();
      Asked asked = asking.of(guest);
      FuseReply reply = guest.caller.ask(asked.nodeId(), asked.request());
      List<Change> changes = keeping.changes();
      List<Change> own = changes.subList(before, changes.size());
      List<String> expected = known(first);
      steps = own.size();
      if (cut > indexOfBegun(own)) {
        PassThrough second = daemon(folder, keeping.left(before + cut));
        again(second, guest, asked, reply, expected);
        PassThrough third = daemon(folder, keeping.left(keeping.changes().size()));
        again(third, guest, asked, reply, expected);
      }
      close();
    }
  }

  /** Where a daemon dies over a write to a file's end: what it wrote, and what others did. */
  static Stream<Arguments> appends() {
    return Stream.of(
        Arguments.of("nothing", "", "begun"),
        Arguments.of("all", "and on", "begun"),
        Arguments.of("a part", "and", "begun"),
        Arguments.of("nothing, and somebody else wrote", "others", "begunothers"),
        Arguments.of("all, and somebody else wrote", "and on others", "begun"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("appends")
  void whatIsAppendedStandsThereOnce(String name, String after, String before) throws Exception {
    Path folder = Files.createDirectory(top.resolve("folder"));
    PassThrough first = daemon(folder, Map.of());
    var caller = new Caller(first);
    FuseReply.Created made = caller.create(ROOT_ID, Name.of("log"), "begun");
    caller.ask(made.entry().nodeId(), new FuseRequest.Release(made.open().handle(), 0, 0, 0));
    var open = new FuseRequest.Open(O_WRONLY | O_APPEND, 0);
    long handle = ((FuseReply.Opened) caller.ask(made.entry().nodeId(), open)).open().handle();
    caller.write(handle, "and on");
    Files.writeString(folder.resolve("log"), "begun" + after);
    PassThrough second = daemon(folder, keeping.left(keeping.changes().size()));
    Caller.goingOn(second, caller.lastUnique()).writeAgain(handle, "and on");
    assertThat(folder.resolve("log"))
        .hasContent(after.startsWith("and on") ? "begun" + after : before + "and on");
  }

  /**
   * What a file was kept under that is closed is never another's: the third daemon reads of both.
   */
  @Test
  void whatIsOpenedAfterADeathIsItselfAfterTheNext() throws Exception {
    keeping.drops = true;
    Path folder = Files.createDirectory(top.resolve("folder"));
    var caller = new Caller(daemon(folder, Map.of()));
    FuseReply.Created early = caller.create(ROOT_ID, Name.of("early"), "early");
    caller.ask(early.entry().nodeId(), new FuseRequest.Release(early.open().handle(), 0, 0, 0));
    PassThrough second = daemon(folder, keeping.left(keeping.changes().size()));
    Caller after = Caller.goingOn(second, caller.lastUnique());
    FuseReply.Created late = after.create(ROOT_ID, Name.of("late"), "late");
    PassThrough third = daemon(folder, keeping.left(keeping.changes().size()));
    Caller last = Caller.goingOn(third, after.lastUnique());
    assertThat(last.read(late.open().handle())).isEqualTo("late");
  }

  @Test
  void aJournalBeginsAnewWhenItIsLong() throws Exception {
    Path folder = Files.createDirectory(top.resolve("folder"));
    PassThrough first = daemon(folder, Map.of());
    var guest = new Guest(first);
    guest.caller.ask(guest.directory, new FuseRequest.Unlink(Name.of("open")));
    guest.caller.ask(guest.open.entry().nodeId(), guest.lock(0));
    for (int i = 0; i < LOOKUPS; i++) {
      guest.caller.lookup(guest.directory, Name.of("known"));
    }
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().equals("fs-journal")) {
        thread.join();
      }
    }
    List<Change> changes = keeping.changes();
    assertThat(changes.getFirst()).isInstanceOf(Change.Settled.class);
    assertThat(changes).hasSizeLessThan(LOOKUPS).anyMatch(Change.Past.class::isInstance);
    List<String> expected = known(first);
    PassThrough second = daemon(folder, keeping.left(changes.size()));
    assertThat(known(second)).isEqualTo(expected);
    Caller goingOn = Caller.goingOn(second, guest.caller.lastUnique());
    assertThat(goingOn.read(guest.handle())).isEqualTo("open");
    long lookups = LOOKUPS;
    goingOn.askAgain(guest.directory, new FuseRequest.Lookup(Name.of("known")));
    assertThat(known(second))
        .isEqualTo(expected)
        .anyMatch(line -> line.contains(lookups + 1 + " lookups"));
  }

  @Test
  void whoArrivedIsKnown() throws Exception {
    Path folder = Files.createDirectory(top.resolve("folder"));
    PassThrough source = daemon(folder, Map.of());
    var guest = new Guest(source);
    guest.caller.ask(guest.directory, new FuseRequest.Unlink(Name.of("known")));
    var state = new ByteArrayOutputStream();
    source.save(state);
    source.resumed();
    List<String> expected = known(source);
    keeping.close();
    PassThrough first = daemon(folder, Map.of());
    first.load(new ByteArrayInputStream(state.toByteArray()));
    PassThrough second = daemon(folder, keeping.left(keeping.changes().size()));
    assertThat(known(second)).isEqualTo(expected);
    assertThat(Caller.arrived(second).read(guest.handle())).isEqualTo("open");
  }

  private void again(
      PassThrough daemon, Guest guest, Asked asked, FuseReply reply, List<String> expected)
      throws IOException {
    Caller goingOn = Caller.goingOn(daemon, guest.caller.lastUnique());
    FuseReply second = goingOn.askAgain(asked.nodeId(), asked.request());
    assertThat(outline(second)).isEqualTo(outline(reply));
    assertThat(known(daemon)).isEqualTo(expected);
  }

  /** After this nothing in the folder has changed yet; -1 where nothing is said before. */
  private static int indexOfBegun(List<Change> changes) {
    return changes.stream()
        .map(change -> change instanceof Change.Begun || change instanceof Change.Locking)
        .toList()
        .indexOf(true);
  }

  /** What of an answer does not change from one daemon to the next. */
  private static String outline(FuseReply reply) {
    return switch (reply) {
      case FuseReply.Found found -> "inode " + found.entry().attributes().inode();
      case FuseReply.Created _ -> "made";
      case FuseReply.Opened _ -> "opened";
      case FuseReply.Data data -> data.content().byteSize() + " bytes";
      default -> reply.toString();
    };
  }

  /** All that the guest of a daemon knows, in words that do not change from daemon to daemon. */
  private static List<String> known(PassThrough daemon) throws IOException {
    var blob = new ByteArrayOutputStream();
    daemon.save(blob);
    daemon.resumed();
    var told = new Told();
    StateForms.read(new ByteArrayInputStream(blob.toByteArray()), told);
    return told.lines.stream().sorted().toList();
  }

  /** A state in words: inodes by their numbers on the host. */
  private static final class Told implements StateSink {
    final List<String> lines = new ArrayList<>();
    private final Map<Long, String> names = new HashMap<>();

    @Override
    public void settings(SavedSettings settings) {
      lines.add("agreed to " + settings.agreed());
    }

    @Override
    public void option(SavedOption option) {}

    @Override
    public void inode(SavedInode inode) {
      // One without a name is another one when it is made again.
      boolean nameless = inode.location() instanceof Location.Embedded;
      names.put(inode.nodeId(), "inode " + (nameless ? 0 : inode.identity().inode()));
      String where =
          switch (inode.location()) {
            case Location.Named named -> names.get(named.directory()) + "/" + named.name();
            case Location.Hidden _ -> "hidden";
            case Location location -> location.getClass().getSimpleName();
          };
      lines.add(
          "%s, %d lookups, %s, %s"
              .formatted(
                  names.get(inode.nodeId()),
                  inode.lookups(),
                  inode.needed() ? "needed" : "not needed",
                  where));
    }

    @Override
    public void content(long nodeId, long offset, MemorySegment bytes) {}

    @Override
    public void attribute(long nodeId, SavedAttribute attribute) {}

    @Override
    public void file(SavedFile file) {
      lines.add("open: %s, %#x".formatted(names.get(file.nodeId()), file.flags()));
    }

    @Override
    public void lock(SavedLock lock) {
      lines.add(
          switch (lock) {
            case SavedLock.Range range -> names.get(range.nodeId()) + range.start() + range.end();
            case SavedLock.Whole whole -> "locked: " + whole.exclusive();
          });
    }

    @Override
    public void end() {}
  }
}
