package hawser.interop.guest;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Side;
import hawser.vhost.backend.BackEndOptions;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The back-end dies while a guest writes and reads, at every step of the record of requests under
 * way and at any moment, and another one takes over: no request is lost, hangs or does harm.
 */
class CrashUnderLoadTest {
  private static final int MIBS = 8;
  private static final int KILLED = 137;

  /** How often a step is passed before the process ends there: in the middle of the load. */
  private static final int PASSED = 40;

  @TempDir Path folder;

  private Peer serve(String... environment) {
    List<String> command =
        Side.HAWSER.command(
            "vhost-user-blk",
            "--socket-path=" + folder.resolve("disk.sock"),
            "--blk-file=" + folder.resolve("disk.raw"),
            "--format=raw",
            "--num-queues=2");
    var line = new ArrayList<>(command);
    // Behind env and its option.
    line.addAll(2, List.of(environment));
    return Peers.start(line);
  }

  private Peer serveUntil(int step) {
    return serve("JAVA_TOOL_OPTIONS=-Dhawser.vhost.crash=%d:%d".formatted(step, PASSED));
  }

  @ParameterizedTest
  @CsvSource({"off, 7", "on, 9"})
  void nothingIsLost(String packed, int steps) throws Exception {
    try (var disk = new RandomAccessFile(folder.resolve("disk.raw").toFile(), "rw")) {
      disk.setLength((long) MIBS << 20);
    }
    Path socket = folder.resolve("disk.sock");
    Peer first = serve().awaitSocket(socket);
    try (Machine guest =
        Machine.boot(folder.resolve("machine"), Machine.disk(socket, ",packed=" + packed))) {
      GuestLoad.start(guest, "/dev/vda");
      GuestLoad.awaitRound(guest);
      first.kill();
      for (int step = BackEndOptions.BEFORE_CALL; step <= steps; step++) {
        try (Peer dying = serveUntil(step)) {
          assertThat(dying.await()).as("step %d: %s", step, dying.err()).isEqualTo(KILLED);
        }
      }
      for (int kill = 0; kill < 2; kill++) {
        killInARound(guest);
      }
      try (Peer last = serve().awaitSocket(socket)) {
        GuestLoad.awaitRound(guest);
        GuestLoad.finish(guest, "/dev/vda");
        List<String> sums = Sums.inGuest(guest, "/dev/vda", MIBS);
        assertThat(sums).isEqualTo(Sums.ofFile(folder.resolve("disk.raw")));
        guest.execute("quit", "{}");
        assertThat(guest.qemu().await()).isZero();
        assertThat(last.terminate()).as(last.err()).isZero();
      }
    } finally {
      first.close();
    }
  }

  private void killInARound(Machine guest) throws IOException {
    try (Peer backEnd = serve().awaitSocket(folder.resolve("disk.sock"))) {
      GuestLoad.awaitRound(guest);
      backEnd.kill();
    }
  }
}
