package hawser.interop.guest;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.base.json.Json;
import hawser.qmp.QmpEvent;
import hawser.qmp.QmpEvents;
import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A guest moves to another QEMU while it writes, and its disk to another back-end on the same
 * image, which belongs to one of them at a time: QEMU's own programs find it locked by it, and free
 * and whole in between.
 */
class LiveMigrationTest {
  private static final int MIBS = 32;

  /** Writes a cluster after the other, behind the workers' part, so that the tables change too. */
  private static final String GROWTH =
      "(at=128; until [ -e /tmp/stop ]; do"
          + " dd if=/dev/urandom of=/dev/vda bs=64k count=1 seek=$at oflag=direct 2>/dev/null"
          + " || echo growth >>/tmp/failed;"
          + " at=$((at < 511 ? at + 1 : 128)); done; touch /tmp/grown) &";

  /**
   * Reads into the same memory again and again without looking at it: once the guest has moved, its
   * new back-end is the first to come there.
   */
  private static final String READING =
      "for reader in 1 2 3 4; do (until [ -e /tmp/moved ]; do"
          + " dd if=/dev/vda of=/dev/null bs=1M iflag=direct 2>/dev/null; done) & done";

  /** What QEMU writes for each page that a back-end waits for, if it is asked to. */
  private static final String FAULT = "vhost_user_postcopy_fault_handler_found";

  private static final List<String> ENDS = List.of("completed", "failed", "postcopy-paused");

  /** The guest's own processors may bring all the pages first; a back-end that asks is wanted. */
  private static final int JOURNEYS_MAX = 4;

  @TempDir Path temp;
  private Path folder = Path.of("");

  private Path image() {
    return folder.resolve("disk");
  }

  private Peer serve(String socket, String format, String... more) {
    var options =
        new ArrayList<>(
            List.of(
                "--socket-path=" + folder.resolve(socket),
                "--blk-file=" + image(),
                "--format=" + format,
                "--num-queues=2"));
    options.addAll(List.of(more));
    return Side.HAWSER
        .start("vhost-user-blk", options.toArray(String[]::new))
        .awaitSocket(folder.resolve(socket));
  }

  private Machine target(String name, String packed) throws Exception {
    var devices =
        new ArrayList<>(List.of(Machine.disk(folder.resolve("new.sock"), ",packed=" + packed)));
    devices.addAll(List.of("-trace", FAULT));
    Machine target = Machine.awaiting(folder.resolve(name), devices.toArray(String[]::new));
    target.execute("migrate-incoming", uri(name));
    return target;
  }

  private String uri(String target) {
    return "{'uri': 'unix:%s'}".formatted(folder.resolve(target + ".sock"));
  }

  @ParameterizedTest
  @CsvSource({"raw, off, postcopy", "qcow2, off, precopy", "qcow2, on, precopy"})
  void aGuestUnderLoadMoves(String format, String packed, String way) throws Exception {
    Peers.requires("qemu-img");
    boolean asked = false;
    for (int journey = 1; journey <= JOURNEYS_MAX && !asked; journey++) {
      folder = Files.createDirectory(temp.resolve("journey-" + journey));
      asked = moves(format, packed, way);
    }
    assertThat(asked).as("pages were asked for").isTrue();
  }

  /** One journey; whether, if by postcopy, its new back-end had to ask for pages. */
  private boolean moves(String format, String packed, String way) throws Exception {
    Peers.run("qemu-img", "create", "-f", format, image().toString(), MIBS + "M").ok();
    String[] disk = Machine.disk(folder.resolve("old.sock"), ",packed=" + packed);
    try (Peer oldBackEnd = serve("old.sock", format);
        Peer newBackEnd = serve("new.sock", format, "--incoming");
        Machine source = Machine.boot(folder.resolve("old"), disk)) {
      GuestLoad.start(source, "/dev/vda");
      source.run(GROWTH).ok();
      GuestLoad.awaitRound(source);
      prepare(source);
      if (way.equals("precopy")) {
        stayAfterAll(source, format, packed);
      }
      try (Machine target = target("second", packed)) {
        if (way.equals("postcopy")) {
          source.run(READING).ok();
          moveBeforeItsMemory(source, target, format);
          target.run("touch /tmp/moved").ok();
        } else {
          move(source, target, format);
        }
        GuestLoad.awaitRound(target);
        twoNeverHaveIt(source, oldBackEnd);
        GuestLoad.awaitRound(target);
        GuestLoad.finish(target, "/dev/vda");
        target.run("until [ -e /tmp/grown ]; do usleep 50000; done").ok();
        List<String> sums = Sums.inGuest(target, "/dev/vda", MIBS);
        target.execute("quit", "{}");
        assertThat(newBackEnd.terminate()).as(newBackEnd.err()).isZero();
        assertThat(oldBackEnd.terminate()).as(oldBackEnd.err()).isZero();
        assertThat(sums).isEqualTo(Sums.ofFile(content(format)));
        return way.equals("precopy") || target.qemu().err().contains(FAULT);
      }
    }
  }

  /** What the disk holds, once it is found to be whole. */
  private Path content(String format) {
    Path copy = folder.resolve("copy.raw");
    if (format.equals("qcow2")) {
      Peers.run("qemu-img", "check", image().toString()).ok();
    }
    Peers.run("qemu-img", "convert", "-f", format, "-O", "raw", image().toString(), copy.toString())
        .ok();
    return copy;
  }

  private static void prepare(Machine source) {
    source.execute(
        "migrate-set-capabilities",
        "{'capabilities': [{'capability': 'events', 'state': true},"
            + " {'capability': 'pause-before-switchover', 'state': true}]}");
    source.execute(
        "migrate-set-parameters", "{'max-bandwidth': 1000000000, 'downtime-limit': 2000}");
  }

  /** The migration is called off when the guest has stopped already: it goes on where it was. */
  private void stayAfterAll(Machine source, String format, String packed) throws Exception {
    assertHeld(format);
    try (Machine target = target("first", packed);
        QmpEvents events = source.qmp().listen("MIGRATION")) {
      source.execute("migrate", uri("first"));
      events.await(event -> status(event).equals("pre-switchover"));
      assertFree(format);
      assertThat(target.qemu().process().isAlive()).isTrue();
      source.execute("migrate_cancel", "{}");
      events.await(event -> status(event).equals("cancelled"));
    }
    GuestLoad.awaitRound(source);
    assertHeld(format);
  }

  private void move(Machine source, Machine target, String format) {
    target.execute(
        "migrate-set-capabilities", "{'capabilities': [{'capability': 'events', 'state': true}]}");
    try (QmpEvents left = source.qmp().listen("MIGRATION");
        QmpEvents arrived = target.qmp().listen("MIGRATION")) {
      source.execute("migrate", uri("second"));
      left.await(event -> status(event).equals("pre-switchover"));
      assertFree(format);
      source.execute("migrate-continue", "{'state': 'pre-switchover'}");
      awaitCompleted(left);
      awaitCompleted(arrived);
    }
    assertHeld(format);
  }

  private static void awaitCompleted(QmpEvents events) {
    QmpEvent end = events.await(event -> ENDS.contains(status(event)));
    assertThat(status(end)).isEqualTo("completed");
  }

  /**
   * The guest goes on at its new place while most of its memory is still at the old one: what the
   * new back-end needs of it, the new QEMU asks for.
   */
  private void moveBeforeItsMemory(Machine source, Machine target, String format) {
    target.execute(
        "migrate-set-capabilities",
        "{'capabilities': [{'capability': 'events', 'state': true},"
            + " {'capability': 'postcopy-ram', 'state': true}]}");
    source.execute(
        "migrate-set-capabilities",
        "{'capabilities': [{'capability': 'postcopy-ram', 'state': true}]}");
    // Little comes before the guest, and the rest not so soon after it that nobody has to ask.
    source.execute(
        "migrate-set-parameters", "{'max-bandwidth': 4000000, 'max-postcopy-bandwidth': 16000000}");
    try (QmpEvents left = source.qmp().listen("MIGRATION");
        QmpEvents arrived = target.qmp().listen("MIGRATION")) {
      source.execute("migrate", uri("second"));
      left.await(event -> status(event).equals("active"));
      source.execute("migrate-start-postcopy", "{}");
      left.await(event -> status(event).equals("pre-switchover"));
      assertFree(format);
      source.execute("migrate-continue", "{'state': 'pre-switchover'}");
      left.await(event -> status(event).equals("postcopy-active"));
      awaitCompleted(left);
      awaitCompleted(arrived);
    }
    assertHeld(format);
  }

  /** Somebody lets the guest run on both sides: the one that comes second has no disk. */
  private static void twoNeverHaveIt(Machine source, Peer oldBackEnd) {
    source.execute("cont", "{}");
    oldBackEnd.awaitText("the disk cannot be taken: Failed to get \"write\" lock");
    source.execute("quit", "{}");
  }

  /** Whether somebody else could write the image now; looking takes QEMU's locks, which tell. */
  private Ran look(String format) {
    return Peers.run("qemu-io", "-f", format, "-c", "read 0 512", image().toString());
  }

  private void assertHeld(String format) {
    Ran ran = look(format);
    assertThat(ran.exitCode()).isEqualTo(1);
    assertThat(ran.err()).contains("lock");
  }

  private void assertFree(String format) {
    look(format).ok();
    if (format.equals("qcow2")) {
      Peers.run("qemu-img", "check", image().toString()).ok();
    }
  }

  private static String status(QmpEvent event) {
    return event.data().members().get("status") instanceof Json.Str(String status) ? status : "";
  }
}
