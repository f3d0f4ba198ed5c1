package hawser.interop.fs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.PeerFault;
import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.fuse.FuseClient;
import hawser.testkit.fuse.FuseOperations;
import hawser.testkit.fuse.InitFlags;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A guest moves between daemons, ours and virtiofsd, driven by our own front-end as QEMU drives
 * back-ends: what it holds open is as it was, or it stays where it is.
 */
class MovingGuestTest {
  private static final String HANDLES = "--migration-mode=file-handles";
  private static final long USUAL =
      InitFlags.EVERYDAY | InitFlags.SUBMOUNTS | InitFlags.POSIX_LOCKS | InitFlags.FLOCK_LOCKS;

  @TempDir Path temp;
  private Path shared;
  private Path submount;
  private final List<AutoCloseable> open = new ArrayList<>();

  @BeforeEach
  void mount() throws IOException {
    shared = Files.createDirectory(temp.resolve("shared"));
    submount = Files.createDirectory(shared.resolve("submount"));
    Assumptions.assumeTrue(
        Peers.run(List.of("mount", "-t", "tmpfs", "none", submount.toString())).exitCode() == 0,
        "needs the right to mount");
  }

  @AfterEach
  void end() throws Exception {
    for (AutoCloseable one : open.reversed()) {
      one.close();
    }
    Peers.run(List.of("umount", "-l", submount.toString()));
  }

  private Peer serve(FsBackEnd program, String name, String... options) {
    Peer daemon = program.serve(shared, temp.resolve(name), options);
    open.add(daemon);
    return daemon;
  }

  /** A guest that has mounted. */
  private FuseClient guest(String name, boolean writeback) throws Exception {
    FuseClient client = FuseClient.connect(temp.resolve(name), 1);
    open.add(client);
    client.operations().init(42, USUAL | (writeback ? InitFlags.WRITEBACK_CACHE : 0)).ok();
    return client;
  }

  private static String[] options(boolean writeback, String... more) {
    return Stream.concat(
            writeback ? Stream.of("--writeback") : Stream.empty(),
            Stream.of(more).filter(option -> !option.isEmpty()))
        .toArray(String[]::new);
  }

  @ParameterizedTest
  @CsvSource({
    "HAWSER, HAWSER, '', '', true, false",
    "HAWSER, HAWSER, '', '', true, true",
    "VIRTIOFSD, HAWSER, '', '', false, false",
    "VIRTIOFSD, HAWSER, '', '', false, true",
    "VIRTIOFSD, HAWSER, --migration-mode=file-handles, --modcaps=+dac_read_search, true, false",
    "VIRTIOFSD, HAWSER, --migration-mode=file-handles, --modcaps=+dac_read_search, true, true",
    "HAWSER, VIRTIOFSD, --state-format=virtiofsd, '', false, false",
    "HAWSER, VIRTIOFSD, --state-format=virtiofsd, --modcaps=+dac_read_search, true, false",
    "HAWSER, VIRTIOFSD, --state-format=virtiofsd, --modcaps=+dac_read_search, true, true",
  })
  void allIsAsItWas(
      FsBackEnd from,
      FsBackEnd to,
      String fromOption,
      String toOption,
      boolean nameless,
      boolean writeback)
      throws Exception {
    Peer old = serve(from, "old", options(writeback, fromOption));
    Peer next = serve(to, "new", options(writeback, toOption));
    FuseClient guest = guest("old", writeback);
    FuseOperations fuse = guest.operations();
    var held = new HeldFiles(shared, fuse, writeback).named().submount();
    if (nameless) {
      held.nameless().submountNameless();
    }
    if (from == FsBackEnd.HAWSER && to == FsBackEnd.HAWSER) {
      held.ownKinds();
    }
    held.behindItsBack();
    assertThat(held.failures(fuse)).as(old.err()).isEmpty();
    guest.moveTo(temp.resolve("new"), guest.save());
    assertThat(held.failures(fuse)).as("%s%s", old.err(), next.err()).isEmpty();
    assertNothingIsLeft();
  }

  /** The journey leaves no names behind. */
  private void assertNothingIsLeft() throws IOException {
    try (Stream<Path> files = Files.list(shared)) {
      assertThat(files.filter(file -> file.getFileName().toString().startsWith(".hawser")))
          .isEmpty();
    }
  }

  /** From A to B to C and back to A, which has been left before. */
  @Test
  void severalJourneysInARow() throws Exception {
    for (String name : List.of("a", "b", "c")) {
      serve(FsBackEnd.HAWSER, name);
    }
    FuseClient guest = guest("a", false);
    FuseOperations fuse = guest.operations();
    var held =
        new HeldFiles(shared, fuse, false)
            .named()
            .nameless()
            .ownKinds()
            .submount()
            .submountNameless()
            .behindItsBack();
    for (String next : List.of("b", "c", "a", "b", "a")) {
      guest.moveTo(temp.resolve(next), guest.save());
      assertThat(held.failures(fuse)).as("at %s", next).isEmpty();
    }
    assertNothingIsLeft();
  }

  /** The state's way there and back, through both programs. */
  @Test
  void fromVirtiofsdHereAndBack() throws Exception {
    serve(FsBackEnd.VIRTIOFSD, "a", HANDLES);
    serve(FsBackEnd.HAWSER, "b", "--state-format=virtiofsd", "--modcaps=+dac_read_search");
    Peer last = serve(FsBackEnd.VIRTIOFSD, "c", "--modcaps=+dac_read_search");
    FuseClient guest = guest("a", false);
    FuseOperations fuse = guest.operations();
    var held = new HeldFiles(shared, fuse, false).named().nameless().submount().behindItsBack();
    guest.moveTo(temp.resolve("b"), guest.save());
    assertThat(held.failures(fuse)).as("at b").isEmpty();
    guest.moveTo(temp.resolve("c"), guest.save());
    assertThat(held.failures(fuse)).as(last.err()).isEmpty();
  }

  /** Nobody has mounted: then there is nothing but that to tell. */
  @ParameterizedTest
  @CsvSource({
    "HAWSER, HAWSER, --xattr",
    "VIRTIOFSD, HAWSER, --xattr",
    "HAWSER, VIRTIOFSD, --state-format=virtiofsd",
  })
  void aGuestThatHasNotMountedMountsThere(FsBackEnd from, FsBackEnd to, String option)
      throws Exception {
    serve(from, "old", option);
    // Ours compares how the two share the folder.
    Peer next = from == to ? serve(to, "new", option) : serve(to, "new");
    Files.writeString(shared.resolve("file"), "there");
    try (FuseClient guest = FuseClient.connect(temp.resolve("old"), 1)) {
      guest.moveTo(temp.resolve("new"), guest.save());
      FuseOperations fuse = guest.operations();
      assertThat(fuse.lookup(1, "file").error()).as(next.err()).isNotZero();
      fuse.init().ok();
      assertThat(fuse.lookup(1, "file").entry().attributes().size()).isEqualTo(5);
    }
  }

  /** What virtiofsd cannot find by a path is lost to it: the guest stays, and lacks nothing. */
  @ParameterizedTest
  @CsvSource({
    "VIRTIOFSD, HAWSER, --xattr",
    "HAWSER, VIRTIOFSD, --state-format=virtiofsd",
  })
  void aGuestThatWouldLoseSomethingStays(FsBackEnd from, FsBackEnd to, String option)
      throws Exception {
    Peer old = serve(from, "old", option);
    Peer next = serve(to, "new");
    FuseClient guest = guest("old", false);
    FuseOperations fuse = guest.operations();
    var held = new HeldFiles(shared, fuse, false).named().nameless().behindItsBack();
    byte[] state = guest.save();
    assertThatThrownBy(() -> guest.moveTo(temp.resolve("new"), state))
        .isInstanceOf(PeerFault.class)
        .hasMessageContaining("CHECK_DEVICE_STATE after LOAD");
    assertThat(next.err()).isNotEmpty();
    guest.goOn();
    assertThat(held.failures(fuse)).as(old.err()).isEmpty();
  }
}
