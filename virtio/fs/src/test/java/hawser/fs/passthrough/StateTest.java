package hawser.fs.passthrough;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.fs.Name;
import hawser.fs.dispatch.Caller;
import hawser.fs.fuse.FileLock;
import hawser.fs.fuse.FuseReply;
import hawser.fs.fuse.FuseRequest;
import hawser.fs.fuse.InitFlag;
import hawser.fs.identity.IdMap;
import hawser.fs.identity.IdRule;
import hawser.fs.state.Identity;
import hawser.fs.state.Location;
import hawser.fs.state.SavedFile;
import hawser.fs.state.SavedInode;
import hawser.fs.state.SavedSettings;
import hawser.fs.state.StateForms;
import hawser.fs.state.StateSink;
import hawser.fs.xattr.XattrMap;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A guest's state goes from one share to another on the same folder, whole or not at all. */
class StateTest {
  private static final long ROOT = 1;
  private static final long HANDLE = 7;
  private static final int O_RDWR = 2;
  private static final int O_TRUNC = 0x200;
  static final ShareOptions OPTIONS = options(false, true);

  @TempDir Path elsewhere;
  @TempDir Path folder;
  private final List<String> log = new ArrayList<>();

  private static ShareOptions options(boolean writeback, boolean locks) {
    return new ShareOptions(
        CacheMode.AUTO,
        writeback,
        true,
        false,
        locks,
        locks,
        true,
        true,
        false,
        false,
        false,
        false,
        false,
        false,
        Translation.NONE,
        HandleMode.NEVER,
        100);
  }

  private PassThrough share() throws BlockFault {
    return PassThrough.of(folder, OPTIONS, MigrationOptions.USUAL, log::add);
  }

  private static byte[] save(PassThrough share) throws IOException {
    var state = new ByteArrayOutputStream();
    share.save(state);
    return state.toByteArray();
  }

  private static void load(PassThrough share, byte[] state) throws IOException {
    assertThat(share.load(new ByteArrayInputStream(state))).isPresent();
  }

  @Test
  void openFilesGoOn() throws Exception {
    try (PassThrough from = share();
        PassThrough to = share()) {
      var guest = new Caller(from, InitFlag.POSIX_LOCKS);
      long directory = guest.mkdir(ROOT, "directory");
      var named = guest.create(directory, new Name(new byte[] {(byte) 0xff, 'x'}), "named");
      var unlinked = guest.create(directory, Name.of("unlinked"), "unlinked");
      guest.ask(directory, new FuseRequest.Unlink(Name.of("unlinked")));
      var lock =
          new FuseRequest.Setlk(
              named.open().handle(), 77, new FileLock(3, 9, FileLock.WRITE, 1), 0, false);
      assertThat(guest.ask(named.entry().nodeId(), lock)).isEqualTo(new FuseReply.Done());
      load(to, save(from));
      Caller there = Caller.arrived(to);
      assertThat(there.read(named.open().handle())).isEqualTo("named");
      assertThat(there.read(unlinked.open().handle())).isEqualTo("unlinked");
      var other =
          new FuseRequest.Getlk(
              named.open().handle(), 78, new FileLock(0, 100, FileLock.READ, 1), 0);
      assertThat(there.ask(named.entry().nodeId(), other))
          .isEqualTo(new FuseReply.Locked(new FileLock(3, 9, FileLock.WRITE, 0)));
      assertThat(there.lookup(ROOT, Name.of("directory"))).isEqualTo(directory);
    }
    assertThat(log).allMatch(line -> line.matches("(left|arrived): .*"));
  }

  @Test
  void aStateThatIsCutOrChangedIsRefusedWhole() throws Exception {
    try (PassThrough from = share();
        PassThrough to = share()) {
      var guest = new Caller(from);
      long directory = guest.mkdir(ROOT, "directory");
      var open = guest.create(directory, Name.of("open"), "open");
      var unlinked = guest.create(directory, Name.of("unlinked"), "unlinked");
      guest.ask(directory, new FuseRequest.Unlink(Name.of("unlinked")));
      byte[] state = save(from);
      for (int length = 0; length < state.length; length++) {
        refuses(to, java.util.Arrays.copyOf(state, length), open.open().handle());
      }
      for (int i = 0; i < state.length; i++) {
        byte[] changed = state.clone();
        changed[i] ^= (byte) (1 << (i % 8));
        refuses(to, changed, open.open().handle());
      }
      refuses(to, java.util.Arrays.copyOf(state, state.length + 1), open.open().handle());
      // And the share is none the worse for it.
      load(to, state);
      assertThat(Caller.arrived(to).read(unlinked.open().handle())).isEqualTo("unlinked");
    }
    try (var left = Files.list(folder)) {
      assertThat(left.map(path -> path.getFileName().toString())).containsExactly("directory");
    }
  }

  private static void refuses(PassThrough share, byte[] state, long handle) {
    assertThatThrownBy(() -> share.load(new ByteArrayInputStream(state)))
        .isInstanceOf(IOException.class)
        .hasMessageMatching("(?s).+");
    assertThat(Caller.arrived(share).read(handle)).isEqualTo("-" + Errno.EBADF.number());
  }

  @Test
  void anotherFileOfTheSameNameIsNotTaken() throws Exception {
    try (PassThrough from = share();
        PassThrough to = share()) {
      var guest = new Caller(from);
      guest.create(ROOT, Name.of("file"), "the guest's");
      byte[] state = save(from);
      Files.move(folder.resolve("file"), folder.resolve("away"));
      Files.writeString(folder.resolve("file"), "somebody else's");
      assertThatThrownBy(() -> load(to, state))
          .hasMessage(
              "inode 2 ('file') is not the file that the guest has open, or is not here: error 116");
    }
  }

  /** It has a name still, and is the same file for whoever uses that; only the share has none. */
  @Test
  void aFileThatWasMovedOutOfTheShareGoesByAHiddenLink() throws Exception {
    try (PassThrough from = share();
        PassThrough to = share()) {
      var guest = new Caller(from);
      var open = guest.create(ROOT, Name.of("file"), "the guest's");
      Path away = Files.move(folder.resolve("file"), elsewhere.resolve("file"));
      byte[] state = save(from);
      assertThat(names()).singleElement().asString().startsWith(".hawser-migration-");
      load(to, state);
      assertThat(names()).isEmpty();
      Files.writeString(away, "written outside");
      assertThat(Caller.arrived(to).read(open.open().handle())).isEqualTo("written outside");
    }
  }

  @Test
  void aHiddenLinkIsGoneWhenTheGuestGoesOnAtTheSource() throws Exception {
    try (PassThrough from = share()) {
      var guest = new Caller(from);
      var open = guest.create(ROOT, Name.of("file"), "the guest's");
      Files.move(folder.resolve("file"), elsewhere.resolve("file"));
      save(from);
      from.resumed();
      assertThat(names()).isEmpty();
      assertThat(guest.read(open.open().handle())).isEqualTo("the guest's");
    }
  }

  private List<String> names() throws IOException {
    try (var files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }

  /** A state is a stranger's: it must not be a way to cut or to remove files. */
  @Test
  void whatAStateAsksForCannotHarmFiles() throws Exception {
    Files.writeString(folder.resolve("file"), "content");
    try (PassThrough to = share()) {
      load(to, stateOf(new Location.Named(ROOT, Name.of("file")), O_RDWR | O_TRUNC));
      assertThat(Caller.arrived(to).read(HANDLE)).isEqualTo("content");
      assertThatThrownBy(() -> load(to, stateOf(new Location.Hidden(Name.of("file")), O_RDWR)))
          .hasMessage("inode 2 is hidden as 'file'");
      assertThatThrownBy(() -> load(to, stateOf(new Location.Named(ROOT, Name.of("..")), O_RDWR)))
          .hasMessage("inode 2 is called '..'");
    }
    assertThat(folder.resolve("file")).hasContent("content");
  }

  /** A state that was made up: one file is open. */
  private static byte[] stateOf(Location location, int flags) throws IOException {
    var state = new ByteArrayOutputStream();
    StateSink sink = StateForms.HAWSER.writing(state);
    Name none = Name.of("");
    sink.settings(new SavedSettings(true, 0, 3, HANDLE + 1));
    sink.inode(
        new SavedInode(ROOT, 1, 0x4000, Identity.UNKNOWN, 0, false, none, new Location.Root()));
    sink.inode(new SavedInode(2, 1, 0x8000, Identity.UNKNOWN, 0, true, none, location));
    sink.file(new SavedFile(HANDLE, 2, flags));
    sink.end();
    return state.toByteArray();
  }

  @Test
  void whatIsTooMuchIsSaidBeforeTheGuestStops() throws Exception {
    var little =
        new MigrationOptions(MigrationOptions.OnError.ABORT, StateForms.HAWSER, new StateLimits(4));
    try (PassThrough from = PassThrough.of(folder, OPTIONS, little, log::add)) {
      var guest = new Caller(from);
      assertThat(from.obstacles()).isEmpty();
      guest.create(ROOT, Name.of("file"), "many bytes");
      guest.ask(ROOT, new FuseRequest.Unlink(Name.of("file")));
      assertThat(from.obstacles())
          .containsExactly(
              "inode 2 (was 'file'): it has no name any more, and with its 10 bytes more than 4"
                  + " would travel");
      assertThatThrownBy(() -> save(from)).isInstanceOf(IOException.class);
    }
  }

  @Test
  void aGuestThatHasAgreedToMoreThanIsOfferedDoesNotArrive() throws Exception {
    ShareOptions writeback = options(true, false);
    try (PassThrough from = PassThrough.of(folder, writeback, MigrationOptions.USUAL, log::add);
        PassThrough to = share()) {
      var guest = new Caller(from, InitFlag.WRITEBACK_CACHE);
      guest.mkdir(ROOT, "directory");
      assertThatThrownBy(() -> load(to, save(from)))
          .hasMessage(
              "the guest has agreed to WRITEBACK_CACHE, which this daemon's options do not offer");
    }
  }

  @Test
  void whatTheGuestReliesOnIsTheSameThere() throws Exception {
    try (PassThrough from = share()) {
      var guest = new Caller(from);
      guest.create(ROOT, Name.of("file"), "the guest's");
      byte[] state = save(from);
      for (String option :
          List.of("cache", "xattr", "xattrmap", "translate-uid", "translate-gid", "readonly")) {
        assertThatThrownBy(() -> loadWith(other(option), MigrationOptions.USUAL, state))
            .hasMessageStartingWith("the guest comes from a daemon whose --" + option + " is '");
      }
      assertThatThrownBy(() -> loadWith(other("cache"), MigrationOptions.USUAL, state))
          .hasMessageEndingWith("is 'auto', and here it is 'always'");
      var goOn =
          new MigrationOptions(
              MigrationOptions.OnError.GUEST_ERROR, StateForms.HAWSER, StateLimits.USUAL);
      log.clear();
      loadWith(other("cache"), goOn, state);
      assertThat(log.getFirst()).endsWith("is 'auto', and here it is 'always'");
    }
  }

  private void loadWith(ShareOptions options, MigrationOptions migration, byte[] state)
      throws Exception {
    try (PassThrough to = PassThrough.of(folder, options, migration, log::add)) {
      load(to, state);
    }
  }

  /** The usual options but for one. */
  private static ShareOptions other(String option) {
    IdMap map = IdMap.of(List.of(IdRule.parse("map:0:1000:10")));
    XattrMap xattrs = XattrMap.parse(":map::user.virtiofs.:");
    return new ShareOptions(
        option.equals("cache") ? CacheMode.ALWAYS : CacheMode.AUTO,
        false,
        !option.equals("xattr"),
        false,
        true,
        true,
        true,
        true,
        false,
        false,
        false,
        false,
        false,
        option.equals("readonly"),
        new Translation(
            option.equals("xattrmap") ? xattrs : null,
            option.equals("translate-uid") ? map : IdMap.NONE,
            option.equals("translate-gid") ? map : IdMap.NONE),
        HandleMode.NEVER,
        100);
  }

  @Test
  void aGuestOfAnotherFolderIsNotTaken() throws Exception {
    try (PassThrough from = share();
        PassThrough to = PassThrough.of(elsewhere, OPTIONS, MigrationOptions.USUAL, log::add)) {
      new Caller(from).mkdir(ROOT, "directory");
      assertThatThrownBy(() -> load(to, save(from)))
          .hasMessageStartingWith("the shared folder is another one here: its inode is ");
    }
  }

  @Test
  void journeysAreSeen() throws Exception {
    Path recorded = elsewhere.resolve("recording.jfr");
    try (PassThrough from = share();
        PassThrough to = share();
        var recording = new Recording()) {
      recording.enable("hawser.FsMigration");
      recording.start();
      var guest = new Caller(from);
      guest.mkdir(ROOT, "directory");
      from.prepare();
      assertThat(from.obstacles()).isEmpty();
      byte[] state = save(from);
      load(to, state);
      assertThatThrownBy(() -> load(to, java.util.Arrays.copyOf(state, state.length - 1)))
          .isInstanceOf(IOException.class);
      recording.stop();
      recording.dump(recorded);
      Progress.Now left = from.progress().now();
      assertThat(left.phase()).isEqualTo(Progress.Phase.IDLE);
      assertThat(left.inodes()).isEqualTo(left.total()).isEqualTo(2);
      assertThat(left.bytes()).isEqualTo(state.length);
      assertThat(left.nanos())
          .containsOnlyKeys(
              Progress.Phase.PREPARING, Progress.Phase.FINDING, Progress.Phase.SAVING);
      assertThat(List.of(left.departures(), left.arrivals(), left.failures()))
          .containsExactly(1L, 0L, 0L);
      Progress.Now arrived = to.progress().now();
      assertThat(List.of(arrived.departures(), arrived.arrivals(), arrived.failures()))
          .containsExactly(0L, 1L, 1L);
    }
    assertThat(log).hasSize(3);
    assertThat(log.get(0)).startsWith("left: 2 of 2 inodes, ");
    assertThat(log.get(1)).startsWith("arrived: 2 of 2 inodes, ");
    assertThat(log.get(2)).startsWith("could not arrive: 2 inodes, ");
    assertThat(RecordingFile.readAllEvents(recorded))
        .extracting(event -> event.getString("direction") + event.getBoolean("succeeded"))
        .containsExactly("departuretrue", "arrivaltrue", "arrivalfalse");
  }

  /** Whoever leaves off, or is destroyed, waits for nothing that still goes through the inodes. */
  @Test
  void aPreparationEndsWhenItIsCalledOff() throws Exception {
    try (PassThrough from = share()) {
      var guest = new Caller(from);
      for (int i = 0; i < 1000; i++) {
        guest.mkdir(ROOT, "directory-" + i);
      }
      for (int i = 0; i < 20; i++) {
        from.prepare();
        from.cancel();
      }
      from.prepare();
      assertThat(from.obstacles()).isEmpty();
      byte[] state = save(from);
      try (PassThrough to = share()) {
        load(to, state);
        assertThat(Caller.arrived(to).lookup(ROOT, Name.of("directory-999"))).isPositive();
      }
    }
  }

  @Test
  void aRehearsalTouchesNothing() throws Exception {
    Rehearsal.run(folder, OPTIONS);
    assertThat(names()).isEmpty();
  }
}
