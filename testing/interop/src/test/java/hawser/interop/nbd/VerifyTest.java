package hawser.interop.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Side;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Data written at random through the server comes back right, through and past the page cache. */
class VerifyTest {
  @ParameterizedTest
  @CsvSource({
    "QEMU, writeback",
    "HAWSER, writeback",
    "QEMU, none",
    "HAWSER, none",
    "HAWSER, writethrough",
    "HAWSER, directsync"
  })
  void whatWasWrittenIsRead(Side side, String cache, @TempDir Path folder) {
    Peers.requires("qemu-img", "fio");
    Path disk = folder.resolve("disk.raw");
    Peers.run("qemu-img", "create", "-q", "-f", "raw", disk.toString(), "16M").ok();
    Path socket = folder.resolve("nbd.sock");
    try (Peer server =
        side.start(
            "qemu-nbd",
            "-t",
            "-e",
            "4",
            "--cache=" + cache,
            "-k",
            socket.toString(),
            "-f",
            "raw",
            disk.toString())) {
      server.awaitSocket(socket);
      // Sizes below a page and odd ones make read-modify-write meet whole blocks on their way.
      Peers.run(
              "fio",
              "--name=verify",
              "--ioengine=nbd",
              "--uri=nbd+unix:///?socket=" + socket,
              "--rw=randwrite",
              "--bsrange=512-64k",
              "--size=16M",
              "--iodepth=32",
              "--verify=crc32c",
              "--verify_fatal=1",
              "--verify_state_save=0",
              "--fsync=50",
              "--randseed=7",
              "--output=" + folder.resolve("fio.txt"))
          .ok();
      assertThat(server.terminate()).isZero();
    }
  }
}
