package hawser.interop.guest;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.base.json.Json;
import hawser.base.json.JsonReader;
import hawser.qmp.QmpClient;
import hawser.qmp.QmpEvents;
import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Ran;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A Linux guest under QEMU, without acceleration: it boots in five seconds or wakes in one, runs
 * the commands that a test says on its serial port, and its machine is driven by QMP.
 */
final class Machine implements AutoCloseable {
  /** What a device says that is plugged in while the guest runs, or was so on its way here. */
  static final String PLUGGED = ",bus=place";

  private static final Set<String> ENDS = Set.of("completed", "failed", "cancelled");

  private final Peer qemu;
  private final QmpClient qmp;
  private final ControlLine serial;

  private Machine(Peer qemu, QmpClient qmp, ControlLine serial) {
    this.qemu = qemu;
    this.qmp = qmp;
    this.serial = serial;
  }

  /**
   * Boots a guest; its files lie in the folder. Skips the test where there is no QEMU or kernel.
   */
  static Machine boot(Path folder, String... devices) throws IOException, BlockFault {
    Machine machine = start(folder, List.of(devices));
    Ran _ = machine.serial.answer("boot").ok();
    return machine;
  }

  /** A machine into which a guest will migrate: the devices are the same as those it has now. */
  static Machine awaiting(Path folder, String... devices) throws IOException, BlockFault {
    var all = new ArrayList<>(List.of(devices));
    all.addAll(List.of("-incoming", "defer"));
    return start(folder, all);
  }

  /**
   * A guest that has booted before any device was there; they are plugged in. Skips the test where
   * there is no QEMU or kernel.
   */
  static Machine wake(Path folder) throws IOException, BlockFault {
    Path booted = BootedGuest.state();
    Machine machine = awaiting(folder);
    machine.tellOfMigrations(false);
    String end = machine.travel("migrate-incoming", "file:" + booted);
    if (!end.equals("completed")) {
      throw new AssertionError("waking: " + end + "\n" + machine.qemu.err());
    }
    machine.execute("cont", "{}");
    return machine;
  }

  private static Machine start(Path folder, List<String> devices) throws IOException, BlockFault {
    Peers.requires("qemu-system-x86_64");
    GuestFiles.requires();
    Files.createDirectories(folder);
    Path monitor = folder.resolve("qmp.sock");
    Path port = folder.resolve("serial.sock");
    var line =
        new ArrayList<String>(
            List.of("qemu-system-x86_64", "-accel", "tcg", "-nodefaults", "-no-user-config"));
    line.addAll(List.of("-display", "none", "-machine", "q35,memory-backend=m", "-m", "256M"));
    line.addAll(List.of("-object", "memory-backend-memfd,id=m,size=256M,share=on"));
    line.addAll(List.of("-qmp", "unix:" + monitor + ",server=on,wait=off"));
    line.addAll(List.of("-chardev", "socket,id=line,path=" + port + ",server=on,wait=off"));
    line.addAll(List.of("-serial", "chardev:line"));
    line.addAll(List.of("-kernel", GuestFiles.kernel().toString()));
    line.addAll(List.of("-initrd", GuestFiles.initramfs(folder).toString()));
    line.addAll(
        List.of("-append", "console=ttyS0 quiet panic=1 no_timer_check random.trust_cpu=on"));
    line.addAll(List.of("-device", "pcie-root-port,id=place,chassis=1"));
    line.addAll(devices);
    Peer qemu = Peers.start(line).awaitSocket(monitor).awaitSocket(port);
    try {
      return new Machine(qemu, QmpClient.connect(monitor), new ControlLine(port));
    } catch (BlockFault | PeerFault e) {
      String said = qemu.err();
      qemu.close();
      throw new AssertionError("QEMU does not start: " + said, e);
    }
  }

  /** The arguments that attach a vhost-user disk. */
  static String[] disk(Path socket, String options) {
    return new String[] {
      "-chardev",
      "socket,id=back-end,reconnect-ms=100,path=" + socket,
      "-device",
      "vhost-user-blk-pci,id=disk,chardev=back-end,num-queues=2" + options
    };
  }

  /** The arguments that attach a shared folder, which the guest mounts as {@code lab}. */
  static String[] share(Path socket, String options) {
    return new String[] {
      "-chardev",
      "socket,id=files,path=" + socket,
      "-device",
      "vhost-user-fs-pci,id=share,chardev=files,tag=lab" + options
    };
  }

  /** Plugs in a shared folder, which the guest mounts as {@code lab}. */
  void plugShare(Path socket) {
    execute(
        "chardev-add",
        "{'id': 'files', 'backend': {'type': 'socket', 'data': {'server': false, 'addr': {'type': 'unix', 'data': {'path': '%s'}}}}}"
            .formatted(socket));
    execute(
        "device_add",
        "{'driver': 'vhost-user-fs-pci', 'id': 'share', 'chardev': 'files', 'tag': 'lab', 'bus': 'place'}");
    run("until ls -d /sys/bus/virtio/drivers/virtiofs/virtio*; do usleep 20000; done").ok();
  }

  /** Has migrations told of as they go, for {@link #travel}. */
  void tellOfMigrations(boolean returnPath) {
    execute(
        "migrate-set-capabilities",
        "{'capabilities': [{'capability': 'events', 'state': true},"
            + " {'capability': 'return-path', 'state': %s}]}".formatted(returnPath));
    execute("migrate-set-parameters", "{'max-bandwidth': 1000000000, 'downtime-limit': 2000}");
  }

  /** Migrates ("migrate") or awaits who does ("migrate-incoming"), to the end: how it ended. */
  String travel(String command, String uri) {
    try (QmpEvents events = qmp.listen("MIGRATION")) {
      execute(command, "{'uri': '%s'}".formatted(uri));
      return endOfMigration(events);
    }
  }

  /** Waits for the end of a migration: "completed", "failed" or "cancelled". */
  static String endOfMigration(QmpEvents events) {
    while (true) {
      if (events.next().data().members().get("status") instanceof Json.Str(String status)
          && ENDS.contains(status)) {
        return status;
      }
    }
  }

  /** Runs a command in the guest's shell, to its end. */
  Ran run(String command) {
    serial.say(command);
    return serial.answer(command);
  }

  /** Resets the machine; returns when the guest is up again. */
  void reset() {
    Json _ = execute("system_reset", "{}");
    Ran _ = serial.answer("reset").ok();
  }

  /** Runs a QMP command that must succeed. */
  Json execute(String command, String arguments) {
    return qmp.execute(command, (Json.Obj) JsonReader.read(arguments)).value();
  }

  QmpClient qmp() {
    return qmp;
  }

  Peer qemu() {
    return qemu;
  }

  @Override
  public void close() {
    serial.close();
    qmp.close();
    qemu.close();
  }
}
