package hawser.interop.guest;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.base.json.Json;
import hawser.qmp.QmpEvent;
import hawser.qmp.QmpEvents;
import hawser.testkit.Peer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
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

  @TempDir Path folder;

  private Path shared() throws IOException {
    Path shared = folder.resolve("shared");
    for (int i = 0; i < CACHED; i++) {
      Path file = shared.resolve("cached/%d/%d".formatted(i / 1000, i));
      Files.createDirectories(file.getParent());
      Files.createFile(file);
    }
    return shared;
  }

  private Machine machine(String name, boolean awaits, Path socket) throws Exception {
    Path place = folder.resolve(name);
    return awaits
        ? Machine.awaiting(place, Machine.share(socket, ""))
        : Machine.boot(place, Machine.share(socket, ""));
  }

  @ParameterizedTest
  @CsvSource({
    "HAWSER, HAWSER, true, false",
    "HAWSER, HAWSER, true, true",
    "HAWSER, HAWSER, false, false",
  })
  void everyFileIsStillOpen(ShareDaemon from, ShareDaemon to, boolean returnPath, boolean writeback)
      throws Exception {
    Path shared = shared();
    var options = new ArrayList<>(List.of("--xattr", "--posix-acl", "--posix-lock", "--flock"));
    if (writeback) {
      options.add("--writeback");
    }
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

  /** What virtiofsd does not offer, or leaves to the guest, and so to nobody's migration. */
  private static final String KINDS_OF_VIRTIOFSD =
      "regular read_only write_only append unlinked linked moved_by_host replaced_by_host"
          + " removed_by_host below_moved_by_host half_read removed_directory working_directory"
          + " fifo socket symlink device path_only mode_0 not_utf_8 submount mapped unsynced sparse"
          + " locked flocked attributed cached";

  /** By file handles virtiofsd finds what has no name, as long as the source has it open. */
  @ParameterizedTest
  @CsvSource({
    "VIRTIOFSD, HAWSER, --migration-mode=file-handles, ''",
    "HAWSER, VIRTIOFSD, --state-format=virtiofsd, --modcaps=+dac_read_search",
  })
  void aGuestMovesFromOneProgramToTheOther(
      ShareDaemon from, ShareDaemon to, String fromOption, String toOption) throws Exception {
    Path shared = shared();
    Path oldSocket = folder.resolve("old.sock");
    Path newSocket = folder.resolve("new.sock");
    try (Peer oldDaemon = from.serve(shared, oldSocket, options(fromOption));
        Peer newDaemon = to.serve(shared, newSocket, options(toOption));
        Machine source = machine("old", false, oldSocket);
        Machine target = machine("new", true, newSocket)) {
      hold(source, KINDS_OF_VIRTIOFSD);
      behindItsBack(shared);
      migrate(source, target, true, oldDaemon, newDaemon);
      assertThat(failures(target)).as("%s%s", oldDaemon.err(), newDaemon.err()).isEmpty();
      source.execute("quit", "{}");
      target.execute("quit", "{}");
    }
    assertNothingIsLeft(shared);
  }

  private static List<String> options(String own) {
    var options = new ArrayList<>(List.of("--xattr", "--posix-acl"));
    if (!own.isEmpty()) {
      options.add(own);
    }
    return options;
  }

  private static void hold(Machine guest, String kinds) {
    guest.run("mount -t virtiofs lab /mnt && mkfifo /tmp/go").ok();
    guest.run("(held /mnt " + CACHED + " " + kinds + " <>/tmp/go >/tmp/held 2>&1 &)").ok();
    guest.run("until grep -q 'held\\|cannot' /tmp/held; do sleep 0.1; done").ok();
    assertThat(guest.run("cat /tmp/held").ok().out()).isEqualTo("held\n");
  }

  /** What a third party does to files that the guest has open. */
  private static void behindItsBack(Path shared) throws IOException {
    Files.createDirectory(shared.resolve("elsewhere"));
    Files.move(shared.resolve("moved-by-host"), shared.resolve("elsewhere/moved"));
    Files.move(shared.resolve("tree-moved-by-host"), shared.resolve("elsewhere/tree"));
    Path other = Files.writeString(shared.resolve("other"), "somebody else's\n");
    Files.move(other, shared.resolve("replaced-by-host"), StandardCopyOption.REPLACE_EXISTING);
    Files.delete(shared.resolve("removed-by-host"));
  }

  private void migrate(
      Machine source, Machine target, boolean returnPath, Peer oldDaemon, Peer newDaemon) {
    String uri = "{'uri': 'unix:%s'}".formatted(folder.resolve("migration.sock"));
    for (Machine machine : List.of(source, target)) {
      machine.execute(
          "migrate-set-capabilities",
          "{'capabilities': [{'capability': 'events', 'state': true},"
              + " {'capability': 'return-path', 'state': %s}]}".formatted(returnPath));
      machine.execute(
          "migrate-set-parameters", "{'max-bandwidth': 1000000000, 'downtime-limit': 2000}");
    }
    try (QmpEvents left = source.qmp().listen("MIGRATION");
        QmpEvents arrived = target.qmp().listen("MIGRATION")) {
      target.execute("migrate-incoming", uri);
      source.execute("migrate", uri);
      for (QmpEvents events : List.of(left, arrived)) {
        QmpEvent end = events.await(SharedFolderMigrationTest::isOver);
        assertThat(end.data().members().get("status"))
            .as(
                "%s%s%s%s",
                oldDaemon.err(), newDaemon.err(), source.qemu().err(), target.qemu().err())
            .isEqualTo(Json.of("completed"));
      }
    }
  }

  private static boolean isOver(QmpEvent event) {
    Json status = event.data().members().get("status");
    return Json.of("completed").equals(status) || Json.of("failed").equals(status);
  }

  /** The kinds of files that are not as they were, with what is wrong. */
  private static List<String> failures(Machine guest) {
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
