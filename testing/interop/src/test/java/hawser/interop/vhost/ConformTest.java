package hawser.interop.vhost;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The judge, of both back-ends; docs/vhost-user-conformance.md says what it found. */
class ConformTest {
  /** What QEMU's storage daemon 10.0.2 does not keep; the last of these ends its process. */
  private static final List<String> QEMU_FAILS =
      List.of(
          "configuration offset", "disabled ring", "started without a kick", "vring of nowhere");

  @TempDir Path temp;
  private Path image;
  private Path socket;

  @BeforeEach
  void makeImage() throws Exception {
    image = temp.resolve("disk.raw");
    socket = temp.resolve("s");
    try (var file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(8 << 20);
    }
  }

  private Ran judge() {
    return Side.HAWSER.run("vhost-user", "conform", "--device", "blk", socket.toString());
  }

  private static List<String> failed(Ran ran) {
    return ran.out()
        .lines()
        .filter(line -> line.startsWith("FAIL"))
        .map(line -> line.substring(14, 48).strip())
        .toList();
  }

  @Test
  void oursKeepsEveryRule() {
    try (Peer server = BlkBackEnd.HAWSER.serve(image, socket, 2)) {
      Ran ran = judge().ok();
      assertThat(failed(ran)).isEmpty();
      assertThat(ran.out())
          .contains("pass          packed ring")
          .contains("not offered   in order");
      assertThat(server.process().isAlive()).isTrue();
    }
  }

  @Test
  void qemusStorageDaemonFailsWhereItIsKnownTo() {
    try (Peer _ = BlkBackEnd.QEMU.serve(image, socket, 2)) {
      Ran ran = judge();
      assertThat(ran.exitCode()).isEqualTo(1);
      assertThat(failed(ran)).isEqualTo(QEMU_FAILS);
      assertThat(ran.out()).contains("not offered   packed ring");
    }
  }

  @Test
  void probeSaysWhatIsOffered() {
    try (Peer _ = BlkBackEnd.QEMU.serve(image, socket, 2)) {
      assertThat(Side.HAWSER.run("vhost-user", "probe", socket.toString()).ok().out())
          .contains("VERSION_1")
          .contains("REPLY_ACK")
          .contains("queues: 2\n")
          .contains("configuration: 0040000000000000");
    }
  }

  @Test
  void nobodyThereIsAnErrorAndNotAVerdict() {
    Ran ran = judge();
    assertThat(ran.exitCode()).isEqualTo(1);
    assertThat(ran.out()).isEmpty();
    assertThat(ran.err()).contains("vhost-user: Failed to connect to '" + socket + "'");
  }
}
