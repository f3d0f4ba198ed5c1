package hawser.interop.peers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.TestAbortedException;

class PeersTest {
  @TempDir Path temp;

  @Test
  void aMissingProgramSkipsTheTestByName() {
    assertThatThrownBy(() -> Peers.requires("sh", "no-such-program"))
        .isInstanceOf(TestAbortedException.class)
        .hasMessageContaining("needs no-such-program");
  }

  @Test
  void aFinishedProgramTellsItsExitCodeAndWhatItPrinted() {
    var ran = Peers.run("sh", "-c", "echo out; echo err >&2; cat; exit 3");
    assertThat(ran.exitCode()).isEqualTo(3);
    assertThat(ran.out()).isEqualTo("out\n");
    assertThat(ran.err()).isEqualTo("err\n");
    assertThatThrownBy(ran::ok).isInstanceOf(AssertionError.class).hasMessageContaining("err");
  }

  @Test
  void aServerIsAwaitedWithoutAConnectionAndEndedOnClose() throws Exception {
    Peers.requires("qemu-nbd", "qemu-img");
    Path image = temp.resolve("disk.raw");
    Path socket = temp.resolve("nbd.sock");
    Files.write(image, new byte[1 << 20]);
    Peer server = Peers.start("qemu-nbd", "-f", "raw", "-k", socket.toString(), image.toString());
    try (server) {
      // Without --persistent the server ends after its first client: awaiting must not be one.
      server.awaitSocket(socket);
      String uri = "nbd+unix:///?socket=" + socket;
      assertThat(Peers.run("qemu-img", "info", uri).ok().out()).contains("1 MiB");
      server.await();
    }
    try (Peer second = Peers.start("sleep", "1000")) {
      second.close();
      assertThat(second.process().isAlive()).isFalse();
    }
  }

  @Test
  void awaitingAProgramThatEndsFailsWithItsWords() {
    try (Peer peer = Peers.start("sh", "-c", "echo no disk >&2; exit 1")) {
      assertThatThrownBy(() -> peer.awaitText("ready"))
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining("no disk");
    }
  }
}
