package hawser.interop.guest;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.base.json.Json;
import hawser.qmp.QmpEvent;
import hawser.qmp.QmpEvents;
import hawser.testkit.Peer;
import hawser.testkit.Side;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A guest moves to another QEMU while it writes, and its disk to another back-end on the same file.
 */
class LiveMigrationTest {
  private static final int MIBS = 8;

  @TempDir Path folder;

  /** The file is not locked, for both back-ends have it open while one of them serves. */
  private Peer serve(String socket) {
    return Side.HAWSER
        .start(
            "vhost-user-blk",
            "--socket-path=" + folder.resolve(socket),
            "--blk-file=json:{'driver':'raw','file':{'driver':'file','locking':'off','filename':'%s'}}"
                .formatted(folder.resolve("disk.raw")),
            "--num-queues=2")
        .awaitSocket(folder.resolve(socket));
  }

  @Test
  void aGuestUnderLoadMoves() throws Exception {
    try (var disk = new RandomAccessFile(folder.resolve("disk.raw").toFile(), "rw")) {
      disk.setLength((long) MIBS << 20);
    }
    try (Peer oldBackEnd = serve("old.sock");
        Peer newBackEnd = serve("new.sock");
        Machine source =
            Machine.boot(folder.resolve("old"), Machine.disk(folder.resolve("old.sock"), ""));
        Machine target =
            Machine.awaiting(folder.resolve("new"), Machine.disk(folder.resolve("new.sock"), ""))) {
      GuestLoad.start(source, "/dev/vda");
      GuestLoad.awaitRound(source);
      migrate(source, target);
      GuestLoad.awaitRound(target);
      GuestLoad.finish(target, "/dev/vda");
      assertThat(Sums.inGuest(target, "/dev/vda", MIBS))
          .isEqualTo(Sums.ofFile(folder.resolve("disk.raw")));
      source.execute("quit", "{}");
      target.execute("quit", "{}");
      assertThat(oldBackEnd.terminate()).as(oldBackEnd.err()).isZero();
      assertThat(newBackEnd.terminate()).as(newBackEnd.err()).isZero();
    }
  }

  private void migrate(Machine source, Machine target) {
    String uri = "{'uri': 'unix:%s'}".formatted(folder.resolve("migration.sock"));
    for (Machine machine : List.of(source, target)) {
      machine.execute(
          "migrate-set-capabilities",
          "{'capabilities': [{'capability': 'events', 'state': true},"
              + " {'capability': 'return-path', 'state': true}]}");
      machine.execute(
          "migrate-set-parameters", "{'max-bandwidth': 1000000000, 'downtime-limit': 2000}");
    }
    try (QmpEvents left = source.qmp().listen("MIGRATION");
        QmpEvents arrived = target.qmp().listen("MIGRATION")) {
      target.execute("migrate-incoming", uri);
      source.execute("migrate", uri);
      for (QmpEvents events : List.of(left, arrived)) {
        QmpEvent end = events.await(event -> isOver(event));
        assertThat(end.data().members().get("status")).isEqualTo(Json.of("completed"));
      }
    }
  }

  private static boolean isOver(QmpEvent event) {
    Json status = event.data().members().get("status");
    return Json.of("completed").equals(status) || Json.of("failed").equals(status);
  }
}
