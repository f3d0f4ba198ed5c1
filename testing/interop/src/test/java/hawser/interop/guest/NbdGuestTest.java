package hawser.interop.guest;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A guest boots from a disk served over NBD, reads it and writes it. */
class NbdGuestTest {
  @ParameterizedTest
  @CsvSource({"QEMU, raw", "HAWSER, raw", "QEMU, qcow2", "HAWSER, qcow2"})
  void guestReadsAndWrites(Side side, String format, @TempDir Path folder) throws IOException {
    Peers.requires("qemu-system-x86_64", "qemu-img");
    Path raw = Files.write(folder.resolve("disk.raw"), BootDisk.bytes());
    Path disk = folder.resolve("disk." + format);
    if (!format.equals("raw")) {
      Peers.run("qemu-img", "convert", "-O", format, raw.toString(), disk.toString()).ok();
    }
    Path socket = folder.resolve("nbd.sock");
    try (Peer server =
        side.start("qemu-nbd", "-t", "-k", socket.toString(), "-f", format, disk.toString())) {
      server.awaitSocket(socket);
      Ran guest =
          Peers.run(
              BootDisk.machine("file=nbd+unix:///?socket=" + socket + ",format=raw,if=virtio"));
      assertThat(guest.exitCode()).as("%s", guest).isEqualTo(BootDisk.EXIT_CODE_WELL);
      assertThat(guest.out()).isEqualTo(BootDisk.GREETING);
      assertThat(server.terminate()).isZero();
    }
    Path wanted = Files.write(folder.resolve("wanted.raw"), BootDisk.bytesAfterwards());
    Peers.run("qemu-img", "compare", "-F", format, wanted.toString(), disk.toString()).ok();
    if (format.equals("qcow2")) {
      Peers.run("qemu-img", "check", disk.toString()).ok();
    }
  }
}
