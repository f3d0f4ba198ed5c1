package hawser.interop.guest;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.base.json.Json;
import hawser.interop.fs.FsBackEnd;
import hawser.qmp.QmpEvent;
import hawser.qmp.QmpEvents;
import hawser.testkit.Peer;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A guest that holds files of every kind open in a shared folder moves to another machine, and
 * finds them all as they were: {@code held.c} opens them, the host changes some behind its back,
 * and afterwards each is looked at.
 */
class SharedFolderMigrationTest {
  private static final int CACHED = 2000;
  private static final String[] LOCKING = {"--xattr", "--posix-acl", "--posix-lock", "--flock"};

  @TempDir Path folder;

  private Path shared() throws IOException {
    return shared(CACHED);
  }

  private Path shared(int cached) throws IOException {
    Path shared = folder.resolve("shared");
    for (int i = 0; i < cached; i++) {
      Path file = shared.resolve("cached/%d/%d".formatted(i / 1000, i));
      Files.createDirectories(file.getParent());
      Files.createFile(file);
    }
    return shared;
  }

  private Machine machine(String name, boolean awaits, Path socket) throws Exception {
    Path place = folder.resolve(name);
    if (awaits) {
      return Machine.awaiting(place, Machine.share(socket, Machine.PLUGGED));
    }
    Machine machine = Machine.wake(place);
    machine.plugShare(socket);
    return machine;
  }

  @ParameterizedTest
  @CsvSource({
    "HAWSER, HAWSER, true, false",
    "HAWSER, HAWSER, true, true",
    "HAWSER, HAWSER, false, false",
  })
  void everyFileIsStillOpen(FsBackEnd from, FsBackEnd to, boolean returnPath, boolean writeback)
      throws Exception {
    Path shared = shared();
    String[] options =
        Stream.concat(Stream.of(LOCKING), writeback ? Stream.of("--writeback") : Stream.empty())
            .toArray(String[]::new);
    Path oldSocket = folder.resolve("old.sock");
    Path newSocket = folder.resolve("new.sock");
    try (Peer oldDaemon = from.serve(shared, oldSocket, options);
        Peer newDaemon = to.serve(shared, newSocket, options);
        Machine source = machine("old", false, oldSocket);
        Machine target = machine("new", true, newSocket)) {
      hold(source, "");
      behindItsBack(shared);
      migrate(source, target, returnPath, oldDaemon, newDaemon);
      assertThat(failures(target)).as("%s%s", oldDaemon.err(), newDaemon.err()).isEmpty();
      source.execute("quit", "{}");
      target.execute("quit", "{}");
      assertThat(newDaemon.terminate()).as(newDaemon.err()).isZero();
      assertThat(oldDaemon.terminate()).as(oldDaemon.err()).isZero();
    }
    assertNothingIsLeft(shared);
  }

  /** A snapshot in a file is a state like any other: it can be looked at, and comes back. */
  @Test
  void aGuestComesBackOutOfAFile() throws Exception {
    Path shared = shared();
    Path socket = folder.resolve("old.sock");
    Path control = folder.resolve("control.sock");
    Path snapshot = folder.resolve("snapshot");
    // Of this guest the device is there from the beginning.
    String[] device = Machine.share(socket, "");
    try (Peer daemon =
            FsBackEnd.HAWSER.serve(shared, socket, options("--control-socket=" + control));
        Machine source = Machine.boot(folder.resolve("old"), device)) {
      hold(source, "regular unlinked replaced_by_host not_utf_8 removed_directory");
      Path other = Files.writeString(shared.resolve("other"), "somebody else's\n");
      Files.move(other, shared.resolve("replaced-by-host"), StandardCopyOption.REPLACE_EXISTING);
      Ran preflight = Side.HAWSER.run("fs-state", "preflight", control.toString()).ok();
      assertThat(preflight.out()).matches("ready: \\d+ inodes, 5 open files, 0 locks; .*\n");
      source.tellOfMigrations(false);
      assertThat(source.travel("migrate", "file:" + snapshot)).isEqualTo("completed");
      source.execute("quit", "{}");
      assertThat(daemon.terminate()).as(daemon.err()).isZero();
    }
    Ran shown = Side.HAWSER.run("fs-state", "show", snapshot.toString()).ok();
    assertThat(shown.out())
        .contains("'not-\\xff\\xfe-utf-8' in 1", "without a name, mode 100644, 9 bytes")
        .contains("5 open files, 0 locks, 18 bytes of content; whole and undamaged");
    try (Peer daemon = FsBackEnd.HAWSER.serve(shared, socket, options(""));
        Machine target = Machine.awaiting(folder.resolve("new"), device)) {
      target.tellOfMigrations(false);
      assertThat(target.travel("migrate-incoming", "file:" + snapshot))
          .as(daemon.err())
          .isEqualTo("completed");
      target.execute("cont", "{}");
      assertThat(failures(target)).as(daemon.err()).isEmpty();
      target.execute("quit", "{}");
    }
  }

  /** From machine to machine and back to the first daemon, which has been left before. */
  @Test
  void threeJourneysInARow() throws Exception {
    Path shared = shared();
    List<Path> sockets =
        Stream.of("a.sock", "b.sock", "c.sock").map(name -> folder.resolve(name)).toList();
    try (Peer a = FsBackEnd.HAWSER.serve(shared, sockets.get(0), options("--posix-lock"));
        Peer b = FsBackEnd.HAWSER.serve(shared, sockets.get(1), options("--posix-lock"));
        Peer c = FsBackEnd.HAWSER.serve(shared, sockets.get(2), options("--posix-lock"))) {
      Machine guest = machine("0", false, sockets.get(0));
      try {
        hold(guest, "");
        behindItsBack(shared);
        for (int hop = 1; hop <= 3; hop++) {
          Machine next = machine(String.valueOf(hop), true, sockets.get(hop % 3));
          migrate(guest, next, true, a, b);
          guest.execute("quit", "{}");
          guest.close();
          guest = next;
        }
        assertThat(failures(guest)).as("%s%s%s", a.err(), b.err(), c.err()).isEmpty();
      } finally {
        guest.close();
      }
    }
  }

  /** The destination cannot take the state: the guest goes on where it is, with all its files. */
  @Test
  void aGuestThatIsRefusedGoesOnAtTheSource() throws Exception {
    Path shared = shared();
    Path oldSocket = folder.resolve("old.sock");
    Path newSocket = folder.resolve("new.sock");
    // The new daemon shares another folder, in which none of the files is.
    Path elsewhere = Files.createDirectory(folder.resolve("another"));
    try (Peer oldDaemon = FsBackEnd.HAWSER.serve(shared, oldSocket, LOCKING);
        Peer newDaemon = FsBackEnd.HAWSER.serve(elsewhere, newSocket, LOCKING);
        Machine source = machine("old", false, oldSocket);
        Machine target = machine("new", true, newSocket)) {
      hold(source, "");
      behindItsBack(shared);
      source.tellOfMigrations(true);
      target.tellOfMigrations(true);
      String uri = "unix:" + folder.resolve("migration.sock");
      target.execute("migrate-incoming", "{'uri': '%s'}".formatted(uri));
      assertThat(source.travel("migrate", uri)).isEqualTo("failed");
      assertThat(newDaemon.err())
          .contains("cannot LOAD the device's state: the shared folder is another one here");
      assertThat(failures(source)).as(oldDaemon.err()).isEmpty();
      source.execute("quit", "{}");
      assertThat(oldDaemon.terminate()).as(oldDaemon.err()).isZero();
    }
    assertNothingIsLeft(shared);
  }

  /** Cancelled in the middle, and then with the destination's daemon killed: nothing is lost. */
  @Test
  void aJourneyThatEndsEarlyChangesNothing() throws Exception {
    Path shared = shared();
    Path oldSocket = folder.resolve("old.sock");
    try (Peer oldDaemon = FsBackEnd.HAWSER.serve(shared, oldSocket, LOCKING);
        Machine source = machine("old", false, oldSocket)) {
      hold(source, "");
      behindItsBack(shared);
      for (boolean kill : new boolean[] {false, true}) {
        Path newSocket = folder.resolve("new-%s.sock".formatted(kill));
        String uri = "{'uri': 'unix:%s'}".formatted(folder.resolve("migration-" + kill));
        try (Peer newDaemon = FsBackEnd.HAWSER.serve(shared, newSocket, LOCKING);
            Machine target = machine("new-" + kill, true, newSocket)) {
          source.tellOfMigrations(true);
          target.tellOfMigrations(true);
          source.execute("migrate-set-parameters", "{'max-bandwidth': 1000000}");
          try (QmpEvents left = source.qmp().listen("MIGRATION")) {
            target.execute("migrate-incoming", uri);
            source.execute("migrate", uri);
            left.await(SharedFolderMigrationTest::isActive);
            if (kill) {
              newDaemon.kill();
              source.execute("migrate-set-parameters", "{'max-bandwidth': 1000000000}");
            } else {
              source.execute("migrate_cancel", "{}");
            }
            assertThat(Machine.endOfMigration(left)).isEqualTo(kill ? "failed" : "cancelled");
          }
        }
      }
      assertThat(failures(source)).as(oldDaemon.err()).isEmpty();
      source.execute("quit", "{}");
      assertThat(oldDaemon.terminate()).as(oldDaemon.err()).isZero();
    }
    assertNothingIsLeft(shared);
  }

  /** What virtiofsd does not offer, or leaves to the guest, and so to nobody's migration. */
  private static final String KINDS_OF_VIRTIOFSD =
      "regular read_only write_only append unlinked linked moved_by_host replaced_by_host"
          + " removed_by_host below_moved_by_host half_read removed_directory working_directory"
          + " fifo socket symlink device path_only mode_0 not_utf_8 submount mapped unsynced sparse"
          + " locked flocked attributed cached";

  /** What it does not lose when it looks for paths. */
  private static final String KINDS_WITH_NAMES =
      KINDS_OF_VIRTIOFSD.replaceAll(
          "(unlinked|replaced_by_host|removed_by_host|removed_directory|not_utf_8|sparse) ", "");

  /** By file handles virtiofsd finds what has no name, as long as the source has it open. */
  @ParameterizedTest
  @CsvSource({
    "VIRTIOFSD, HAWSER, --migration-mode=file-handles, --modcaps=+dac_read_search, true, false",
    "VIRTIOFSD, HAWSER, --migration-mode=file-handles, --modcaps=+dac_read_search, true, true",
    "VIRTIOFSD, HAWSER, --migration-mode=file-handles, --modcaps=+dac_read_search, false, false",
    "HAWSER, VIRTIOFSD, --state-format=virtiofsd, --modcaps=+dac_read_search, true, false",
    "HAWSER, VIRTIOFSD, --state-format=virtiofsd, --modcaps=+dac_read_search, true, true",
    "HAWSER, VIRTIOFSD, --state-format=virtiofsd, --modcaps=+dac_read_search, false, false",
  })
  void aGuestMovesFromOneProgramToTheOther(
      FsBackEnd from,
      FsBackEnd to,
      String fromOption,
      String toOption,
      boolean returnPath,
      boolean writeback)
      throws Exception {
    String both = writeback ? "--writeback" : "";
    try (Journey journey = new Journey(from, to, both, fromOption, toOption)) {
      journey.holding(KINDS_OF_VIRTIOFSD, returnPath);
    }
  }

  @ParameterizedTest
  @CsvSource({"true, false", "false, false", "true, true"})
  void aGuestLeavesAVirtiofsdThatLooksForPaths(boolean returnPath, boolean writeback)
      throws Exception {
    String both = writeback ? "--writeback" : "";
    String mode = "--migration-mode=find-paths";
    try (var journey = new Journey(FsBackEnd.VIRTIOFSD, FsBackEnd.HAWSER, both, mode, "")) {
      journey.holding(KINDS_WITH_NAMES, returnPath);
    }
  }

  /** A guest that has not mounted yet mounts where it is then. */
  @ParameterizedTest
  @CsvSource({"HAWSER, HAWSER", "VIRTIOFSD, HAWSER"})
  void aGuestMountsAfterItsJourney(FsBackEnd from, FsBackEnd to) throws Exception {
    try (var journey = new Journey(from, to, "", "", "")) {
      journey.move(true);
      hold(journey.target, "regular unlinked");
      assertThat(failures(journey.target)).isEmpty();
    }
  }

  /**
   * The daemon itself is killed, three times while the guest appends line by line: another goes on,
   * and the guest, whose driver knows no reconnection, notices nothing but the pauses.
   */
  @Test
  void aDaemonThatIsKilledIsSucceeded() throws Exception {
    Path shared = shared();
    Path socket = folder.resolve("fs.sock");
    String[] options = options("--posix-lock --flock --supervise");
    try (Peer daemon = FsBackEnd.HAWSER.serve(shared, socket, options);
        Machine guest = machine("guest", false, socket)) {
      hold(guest, "");
      behindItsBack(shared);
      guest
          .run(
              "(i=0; while test ! -e /tmp/stop; do i=$((i+1)); echo $i >>/mnt/log || break;"
                  + " cp /mnt/log /mnt/copy && mv /mnt/copy /mnt/moved && rm /mnt/moved || break;"
                  + " done >/tmp/work 2>&1; echo $i >/tmp/count) &")
          .ok();
      guest.run("until test -s /mnt/log; do :; done").ok();
      for (int kills = 1; kills <= 3; kills++) {
        long lines = Files.readAllLines(shared.resolve("log")).size();
        FsBackEnd.serving(daemon).destroyForcibly();
        String last = String.valueOf(lines + 3);
        guest.run("until test $(wc -l </mnt/log) -gt " + last + "; do :; done").ok();
      }
      guest.run("touch /tmp/stop; until test -s /tmp/count; do sleep 0.1; done").ok();
      assertThat(guest.run("cat /tmp/work").ok().out()).isEmpty();
      int count = Integer.parseInt(guest.run("cat /tmp/count").ok().out().strip());
      assertThat(Files.readAllLines(shared.resolve("log")))
          .isEqualTo(IntStream.rangeClosed(1, count).mapToObj(String::valueOf).toList());
      assertThat(failures(guest)).as(daemon.err()).isEmpty();
      assertThat(daemon.err().lines().filter(line -> line.contains("died (signal 9)"))).hasSize(3);
      guest.execute("quit", "{}");
    }
  }

  /** Two machines with a daemon each, on the same folder. */
  private final class Journey implements AutoCloseable {
    final Path shared;
    final Peer oldDaemon;
    final Peer newDaemon;
    final Machine source;
    final Machine target;

    /** What ends with this, the last first. */
    private final Deque<Runnable> closing = new ArrayDeque<>();

    Journey(FsBackEnd from, FsBackEnd to, String both, String fromOption, String toOption)
        throws Exception {
      this(CACHED, from, to, both, fromOption, toOption);
    }

    Journey(
        int cached, FsBackEnd from, FsBackEnd to, String both, String fromOption, String toOption)
        throws Exception {
      shared = shared(cached);
      Path oldSocket = folder.resolve("old.sock");
      Path newSocket = folder.resolve("new.sock");
      try {
        oldDaemon = from.serve(shared, oldSocket, options(both, fromOption));
        closing.push(oldDaemon::close);
        newDaemon = to.serve(shared, newSocket, options(both, toOption));
        closing.push(newDaemon::close);
        source = machine("old", false, oldSocket);
        closing.push(source::close);
        target = machine("new", true, newSocket);
        closing.push(target::close);
      } catch (Exception | AssertionError e) {
        close();
        throw e;
      }
    }

    void holding(String kinds, boolean returnPath) throws IOException {
      hold(source, kinds);
      behindItsBack(shared);
      move(returnPath);
      assertThat(failures(target)).as("%s%s", oldDaemon.err(), newDaemon.err()).isEmpty();
      assertNothingIsLeft(shared);
    }

    void move(boolean returnPath) {
      migrate(source, target, returnPath, oldDaemon, newDaemon);
    }

    @Override
    public void close() {
      closing.forEach(Runnable::run);
    }
  }

  /**
   * A guest takes more than a minute to know 100,000, so that is for {@code -Dhawser.many=100000};
   * fs.ManyFilesMoveTest moves as many without a guest.
   */
  private static final int MANY = Integer.getInteger("hawser.many", 10_000);

  /** virtiofsd keeps no descriptors when it may open file handles; else it has too few of them. */
  @ParameterizedTest
  @CsvSource({
    "HAWSER, HAWSER, --xattr, --xattr",
    "VIRTIOFSD, HAWSER, --inode-file-handles=prefer --modcaps=+dac_read_search, --xattr",
    "HAWSER, VIRTIOFSD, --state-format=virtiofsd,"
        + " --inode-file-handles=prefer --modcaps=+dac_read_search",
  })
  void manyFilesAreKnownThere(FsBackEnd from, FsBackEnd to, String fromOptions, String toOptions)
      throws Exception {
    try (var journey = new Journey(MANY, from, to, "", fromOptions, toOptions)) {
      hold(journey.source, MANY, "regular cached");
      journey.move(true);
      assertThat(failures(journey.target)).as(journey.newDaemon.err()).isEmpty();
      String report = (from == FsBackEnd.HAWSER ? journey.oldDaemon : journey.newDaemon).err();
      Matcher told = Pattern.compile("(left|arrived): (\\d+) of \\2 inodes").matcher(report);
      assertThat(told.find()).as(report).isTrue();
      assertThat(Integer.parseInt(told.group(2))).isGreaterThan(MANY);
    }
  }

  private static String[] options(String... own) {
    Stream<String> given = Stream.of(own).flatMap(line -> Stream.of(line.split(" ")));
    return Stream.concat(Stream.of("--xattr", "--posix-acl"), given)
        .filter(option -> !option.isEmpty())
        .distinct()
        .toArray(String[]::new);
  }

  private static void hold(Machine guest, String kinds) {
    hold(guest, CACHED, kinds);
  }

  static void hold(Machine guest, int cached, String kinds) {
    guest.run("mount -t virtiofs lab /mnt && mkfifo /tmp/go").ok();
    guest.run("(held /mnt " + cached + " " + kinds + " <>/tmp/go >/tmp/held 2>&1 &)").ok();
    guest.run("until grep -q 'held\\|cannot' /tmp/held; do sleep 0.1; done").ok();
    assertThat(guest.run("cat /tmp/held").ok().out()).isEqualTo("held\n");
  }

  /** What a third party does to files that the guest has open. */
  static void behindItsBack(Path shared) throws IOException {
    Path elsewhere = Files.createDirectory(shared.resolve("elsewhere"));
    for (String moved : List.of("moved-by-host", "tree-moved-by-host")) {
      if (Files.exists(shared.resolve(moved))) {
        Files.move(shared.resolve(moved), elsewhere.resolve(moved));
      }
    }
    Path other = Files.writeString(shared.resolve("other"), "somebody else's\n");
    Files.move(other, shared.resolve("replaced-by-host"), StandardCopyOption.REPLACE_EXISTING);
    Files.deleteIfExists(shared.resolve("removed-by-host"));
  }

  private void migrate(
      Machine source, Machine target, boolean returnPath, Peer oldDaemon, Peer newDaemon) {
    String uri = "{'uri': 'unix:%s'}".formatted(folder.resolve("migration.sock"));
    source.tellOfMigrations(returnPath);
    target.tellOfMigrations(returnPath);
    try (QmpEvents left = source.qmp().listen("MIGRATION");
        QmpEvents arrived = target.qmp().listen("MIGRATION")) {
      target.execute("migrate-incoming", uri);
      source.execute("migrate", uri);
      for (QmpEvents events : List.of(left, arrived)) {
        assertThat(Machine.endOfMigration(events))
            .as(
                "%s%s%s%s",
                oldDaemon.err(), newDaemon.err(), source.qemu().err(), target.qemu().err())
            .isEqualTo("completed");
      }
    }
  }

  private static boolean isActive(QmpEvent event) {
    return Json.of("active").equals(event.data().members().get("status"));
  }

  /** The kinds of files that are not as they were, with what is wrong. */
  static List<String> failures(Machine guest) {
    guest.run("echo go >/tmp/go; until grep -q checked /tmp/held; do sleep 0.1; done").ok();
    return guest
        .run("cat /tmp/held")
        .ok()
        .out()
        .lines()
        .filter(line -> !line.endsWith(" ok") && !line.matches("held|checked"))
        .toList();
  }

  /** The journey leaves no names behind. */
  private static void assertNothingIsLeft(Path shared) throws IOException {
    try (Stream<Path> files = Files.list(shared)) {
      assertThat(files.filter(file -> file.getFileName().toString().startsWith(".hawser")))
          .isEmpty();
    }
  }
}
