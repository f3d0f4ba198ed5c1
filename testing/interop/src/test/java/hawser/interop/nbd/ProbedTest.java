package hawser.interop.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Side;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A raw disk that is served without a word on its format: the owner is warned, the start guarded.
 */
class ProbedTest {
  @TempDir Path folder;

  enum Server {
    QEMU_NBD,
    HAWSER_NBD,
    HAWSER_UP;

    Peer start(Path folder, Path socket, Path disk) {
      return switch (this) {
        case QEMU_NBD -> nbd(Side.QEMU, socket, disk);
        case HAWSER_NBD -> nbd(Side.HAWSER, socket, disk);
        case HAWSER_UP ->
            Side.HAWSER.startIn(folder, "up", "-p", "0", "-k", socket.toString(), disk.toString());
      };
    }

    private static Peer nbd(Side side, Path socket, Path disk) {
      return side.start("qemu-nbd", "-t", "-k", socket.toString(), disk.toString());
    }
  }

  @ParameterizedTest
  @EnumSource
  void theOwnerIsWarnedAndTheStartIsGuarded(Server kind) throws Exception {
    Peers.requires("qemu-io");
    Path disk = folder.resolve("disk.img");
    Files.write(disk, new byte[1 << 20]);
    Path socket = folder.resolve("nbd.sock");
    Path header = folder.resolve("header");
    byte[] qcow2 = Arrays.copyOf("QFI\u00fb".getBytes(StandardCharsets.ISO_8859_1), 512);
    qcow2[7] = 3;
    Files.write(header, qcow2);
    try (Peer server = kind.start(folder, socket, disk).awaitSocket(socket)) {
      String uri = "nbd+unix:///?socket=" + socket;
      assertThat(
              Peers.run("qemu-io", "-f", "raw", "-c", "write -s " + header + " 0 512", uri).all())
          .contains("write failed: Operation not permitted");
      Peers.run("qemu-io", "-f", "raw", "-c", "write -P 7 0 512", uri).ok();
      Peers.run("qemu-io", "-f", "raw", "-c", "write -s " + header + " 512 512", uri).ok();
      // Looked for late: QEMU's socket is there before its disk is open.
      assertThat(server.err())
          .contains("WARNING: Image format was not specified for '" + disk + "'")
          .contains("write operations on block 0 will be restricted");
      assertThat(server.terminate()).isZero();
    }
    assertThat(Arrays.copyOf(Files.readAllBytes(disk), 512)).containsOnly(7);
  }
}
