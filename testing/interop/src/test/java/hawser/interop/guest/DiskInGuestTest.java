package hawser.interop.guest;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.base.json.Json;
import hawser.base.json.JsonReader;
import hawser.qmp.QmpClient;
import hawser.testkit.Peer;
import hawser.testkit.Peers;
import java.io.RandomAccessFile;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a Linux guest does with its disk, with QEMU's storage daemon and with ours behind it. */
class DiskInGuestTest {
  private static final int MIB = 1 << 20;

  @TempDir Path folder;

  private Path path(String name) {
    return folder.resolve(name);
  }

  private Path image(String name, String format, String... options) {
    Path image = path(name);
    var line = new ArrayList<>(List.of("qemu-img", "create", "-f", format));
    line.addAll(List.of(options));
    line.addAll(List.of(image.toString(), "32M"));
    Peers.run(line).ok();
    return image;
  }

  private static long allocated(Path file) {
    return 512 * Long.parseLong(Peers.run("stat", "-c", "%b", file.toString()).ok().out().strip());
  }

  /** One boot for a whole life of disks: each boot costs five seconds. */
  @ParameterizedTest
  @EnumSource
  void aDiskLives(GuestBackEnd side) throws Exception {
    Peers.requires("qemu-img");
    Path raw = image("disk.raw", "raw");
    Path below = image("below.qcow2", "qcow2");
    Peers.run("qemu-io", "-c", "write -P 7 1M 1M", below.toString()).ok();
    Path qcow2 = image("disk.qcow2", "qcow2", "-b", below.toString(), "-F", "qcow2");
    try (Peer rawBackEnd = side.serve(raw, "raw", path("raw.sock"));
        Peer qcow2BackEnd = side.serve(qcow2, "qcow2", path("qcow2.sock"));
        Machine guest = Machine.boot(path("machine"), Machine.disk(path("raw.sock"), ""))) {
      fileSystem(guest, "/dev/vda");
      trim(guest, raw);
      resize(guest, side, rawBackEnd, raw);
      plug(guest);
      fileSystem(guest, "/dev/vdb");
      guest.run("umount /mnt").ok();
      resizeQcow2(guest, side);
      guest.run("dd if=/dev/urandom of=/dev/vdb bs=1M count=1 seek=39 oflag=direct").ok();
      List<String> sums = Sums.inGuest(guest, "/dev/vdb", 40);
      unplug(guest);
      assertThat(qcow2BackEnd.terminate()).as(qcow2BackEnd.err()).isZero();
      Peers.run("qemu-img", "check", qcow2.toString()).ok();
      Peers.run("qemu-img", "convert", "-O", "raw", qcow2.toString(), path("copy.raw").toString())
          .ok();
      assertThat(sums).isEqualTo(Sums.ofFile(path("copy.raw")));
      guest.reset();
      guest.run("mount -t ext2 /dev/vda /mnt && cmp /mnt/b /mnt/c && umount /mnt").ok();
      sums = Sums.inGuest(guest, "/dev/vda", 48);
      guest.execute("quit", "{}");
      assertThat(guest.qemu().await()).isZero();
      assertThat(rawBackEnd.terminate()).as(rawBackEnd.err()).isZero();
      assertThat(sums).isEqualTo(Sums.ofFile(raw));
    }
  }

  private static void fileSystem(Machine guest, String disk) {
    guest.run("mke2fs " + disk + " && mount -t ext2 " + disk + " /mnt").ok();
    guest
        .run("dd if=/dev/urandom of=/mnt/a bs=1M count=8 && cp /mnt/a /mnt/b && cp /mnt/b /mnt/c")
        .ok();
    guest
        .run("sync; echo 3 >/proc/sys/vm/drop_caches; cmp /mnt/a /mnt/b && cmp /mnt/b /mnt/c")
        .ok();
  }

  private static void trim(Machine guest, Path raw) {
    long before = allocated(raw);
    assertThat(before).isGreaterThan(24 * MIB);
    guest.run("rm /mnt/a && sync && fstrim -v /mnt && umount /mnt").ok();
    assertThat(allocated(raw)).isLessThan(before - 7 * MIB);
  }

  private static void resize(Machine guest, GuestBackEnd side, Peer backEnd, Path raw)
      throws Exception {
    switch (side) {
      case QEMU -> blockResize(raw.resolveSibling("raw.sock"), 48);
      case HAWSER -> {
        try (var file = new RandomAccessFile(raw.toFile(), "rw")) {
          file.setLength(48 * MIB);
        }
        Peers.run("kill", "-USR1", Long.toString(backEnd.process().pid())).ok();
      }
    }
    guest.run("until [ $(cat /sys/block/vda/size) = 98304 ]; do usleep 20000; done").ok();
  }

  private static void blockResize(Path socket, int mibs) throws Exception {
    try (var daemon = QmpClient.connect(GuestBackEnd.monitor(socket))) {
      var arguments =
          (Json.Obj) JsonReader.read("{'node-name': 'd', 'size': %d}".formatted(mibs * MIB));
      assertThat(daemon.execute("block_resize", arguments).value()).isNotNull();
    }
  }

  /** What has its length within is resized by the back-end that has it open. */
  private void resizeQcow2(Machine guest, GuestBackEnd side) throws Exception {
    Path socket = path("qcow2.sock");
    switch (side) {
      case QEMU -> blockResize(socket, 40);
      case HAWSER -> {
        assertThat(told(socket, "resize 16M")).startsWith("refused: 16777216 bytes are less");
        assertThat(told(socket, "resize 40M")).isEqualTo("done\n");
      }
    }
    guest.run("until [ $(cat /sys/block/vdb/size) = 81920 ]; do usleep 20000; done").ok();
  }

  private static String told(Path socket, String line) throws Exception {
    var address = UnixDomainSocketAddress.of(GuestBackEnd.monitor(socket));
    try (SocketChannel channel = SocketChannel.open(address)) {
      channel.write(StandardCharsets.UTF_8.encode(line + "\n"));
      return new String(Channels.newInputStream(channel).readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private void plug(Machine guest) {
    guest.execute(
        "chardev-add",
        "{'id': 'second', 'backend': {'type': 'socket', 'data': {'server': false, 'addr': {'type': 'unix', 'data': {'path': '%s'}}}}}"
            .formatted(path("qcow2.sock")));
    guest.execute(
        "device_add",
        "{'driver': 'vhost-user-blk-pci', 'id': 'plugged', 'chardev': 'second', 'bus': 'place', 'num-queues': 1}");
    guest.run("until [ -b /dev/vdb ]; do usleep 20000; done").ok();
  }

  private static void unplug(Machine guest) {
    var arguments = (Json.Obj) JsonReader.read("{'id': 'plugged'}");
    guest
        .qmp()
        .executeAndAwait(
            "device_del",
            arguments,
            event ->
                event.name().equals("DEVICE_DELETED")
                    && event.data().members().containsKey("device"));
    guest.run("[ ! -e /dev/vdb ]").ok();
  }
}
