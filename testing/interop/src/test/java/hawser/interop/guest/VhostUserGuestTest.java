package hawser.interop.guest;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A guest boots from a disk served over vhost-user, reads it and writes it. */
class VhostUserGuestTest {
  @TempDir Path folder;

  private void boot(Path socket, String packed) {
    Ran guest =
        Peers.run(
            BootDisk.machine(
                "-object",
                "memory-backend-memfd,id=memory,size=128M,share=on",
                "-machine",
                "q35,memory-backend=memory",
                "-chardev",
                "socket,id=back-end,path=" + socket,
                "-device",
                "vhost-user-blk-pci,chardev=back-end,num-queues=1,packed=" + packed));
    assertThat(guest.exitCode()).as("%s", guest).isEqualTo(BootDisk.EXIT_CODE_WELL);
    assertThat(guest.out()).isEqualTo(BootDisk.GREETING);
  }

  @ParameterizedTest
  @CsvSource({"raw, off", "raw, on", "qcow2, off"})
  void guestReadsAndWrites(String format, String packed) throws IOException {
    Peers.requires("qemu-system-x86_64", "qemu-img");
    Path raw = Files.write(folder.resolve("disk.raw"), BootDisk.bytes());
    Path disk = folder.resolve("disk." + format);
    if (!format.equals("raw")) {
      Peers.run("qemu-img", "convert", "-O", format, raw.toString(), disk.toString()).ok();
    }
    Path socket = folder.resolve("vhost.sock");
    try (Peer backEnd =
        Side.HAWSER.start(
            "vhost-user-blk", "--socket-path=" + socket, "--blk-file=" + disk, "-f", format)) {
      backEnd.awaitSocket(socket);
      boot(socket, packed);
      assertThat(backEnd.terminate()).as(backEnd.err()).isZero();
    }
    assertThat(socket).doesNotExist();
    Path wanted = Files.write(folder.resolve("wanted.raw"), BootDisk.bytesAfterwards());
    Peers.run("qemu-img", "compare", "-F", format, wanted.toString(), disk.toString()).ok();
    if (format.equals("qcow2")) {
      Peers.run("qemu-img", "check", disk.toString()).ok();
    }
  }

  @Test
  void upServesTheSameDiskToGuestsAndClients() throws IOException {
    Peers.requires("qemu-system-x86_64", "nbdcopy");
    Path disk = Files.write(folder.resolve("disk.raw"), BootDisk.bytes());
    Path copy = folder.resolve("copy.raw");
    String[] arguments = {"-p", "0", "-f", "raw", disk.toString()};
    try (Peer up = Side.HAWSER.startIn(folder, "up", arguments).awaitText("Ctrl-C")) {
      boot(folder.resolve("hawser-data/blk.sock"), "off");
      String nbd = "nbd+unix:///?socket=" + folder.resolve("hawser-data/nbd.sock");
      Peers.run("nbdcopy", nbd, copy.toString()).ok();
      assertThat(copy).hasBinaryContent(BootDisk.bytesAfterwards());
      assertThat(up.terminate()).as(up.err()).isZero();
    }
    assertThat(folder.resolve("hawser-data/blk.sock")).doesNotExist();
  }
}
