package hawser.tools.vhostuser;

import hawser.base.BlockFault;
import hawser.base.UsageFault;
import hawser.blk.BlkDevice;
import hawser.blk.BlkOptions;
import hawser.blk.MovingDisk;
import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.block.Permissions;
import hawser.block.Preallocation;
import hawser.nbd.client.NbdDriver;
import hawser.tools.Command;
import hawser.tools.Getopt;
import hawser.tools.Option;
import hawser.tools.Program;
import hawser.tools.Signals;
import hawser.tools.StopSignal;
import hawser.tools.Terminal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Serves a disk to a guest over vhost-user. */
public final class VhostUserBlkProgram implements Program {
  private static final int QUEUES_MAX = 256;
  private static final int SERIAL_BYTES_MAX = 20;

  private static final Command TABLE =
      BackEndLine.command(
          "Serve a disk to a virtual machine over vhost-user",
          Option.value("blk-file", "FILE", "the disk: a file, a URI, or json:{...}"),
          Option.value('f', "format", "FMT", "the image's format; without it, it is probed"),
          Option.flag('r', "read-only", "the guest may only read"),
          Option.flag(
              "incoming", "its guest migrates to here: leave the disk alone until it comes"),
          Option.value("cache", "MODE", "none, writeback, writethrough, directsync, unsafe"),
          Option.value("num-queues", "N", "virtqueues (default: one per processor)"),
          Option.value("control-socket", "PATH", "take 'resize SIZE' on this socket"),
          Option.value("serial", "TEXT", "what the guest sees as the disk's serial number"));

  private @Nullable String file;
  private @Nullable String format;

  /** A guest that trims its disk means the file. */
  private OpenMode mode = OpenMode.WRITE.withUnmap(true).withPermissions(Permissions.ONLY_WRITER);

  private boolean readOnly;
  private boolean incoming;
  private int queues = Runtime.getRuntime().availableProcessors();
  private String serial = "";
  private @Nullable Path control;

  /** For one call of the command line. */
  public VhostUserBlkProgram() {}

  @Override
  public String name() {
    return "vhost-user-blk";
  }

  @Override
  public List<Command> commands() {
    return List.of(TABLE);
  }

  @Override
  public int run(String[] args, Terminal io) {
    var common = new BackEndLine(name(), io);
    var can = new Capabilities("block", List.of("read-only", "blk-file"));
    return common.read(args, TABLE, can, this::take) ? serve(common, io) : 0;
  }

  private void take(Getopt line) {
    switch (line.key()) {
      case "blk-file" -> file = line.value();
      case "f" -> format = line.value();
      case "r" -> readOnly = true;
      case "incoming" -> incoming = true;
      case "cache" ->
          mode =
              mode.withCache(
                  OpenMode.Cache.named(line.value())
                      .orElseThrow(
                          () -> new UsageFault("Invalid cache mode '" + line.value() + "'")));
      case "control-socket" -> control = Path.of(line.value());
      case "num-queues" -> {
        queues = BackEndLine.number("--num-queues", line.value(), QUEUES_MAX);
        if (queues == 0) {
          throw new UsageFault("--num-queues: 0 is not 1 to " + QUEUES_MAX);
        }
      }
      case "serial" -> {
        serial = line.value();
        if (serial.length() > SERIAL_BYTES_MAX) {
          throw new UsageFault("--serial: more than %d characters".formatted(SERIAL_BYTES_MAX));
        }
      }
      default -> throw line.unhandled();
    }
  }

  private int serve(BackEndLine common, Terminal io) {
    if (file == null) {
      throw new UsageFault("--blk-file is needed");
    }
    try (var stop = new StopSignal();
        MovingDisk disk = open(file, io);
        var device = new BlkDevice(disk, new BlkOptions(queues, serial, readOnly))) {
      Signals.handle("USR1", () -> resized(disk, device, io));
      try (ControlSocket _ = control(disk, device, io)) {
        return new ServedDevice(device, common, stop).run();
      }
    } catch (BlockFault e) {
      throw new UsageFault("cannot serve '" + file + "': " + e.getMessage());
    }
  }

  private @Nullable ControlSocket control(MovingDisk disk, BlkDevice device, Terminal io) {
    return control == null
        ? null
        : ControlSocket.listen(
            control, new Resizing(disk, device), text -> io.error(name() + ": " + text));
  }

  /** Somebody has changed the length of the image: SIGUSR1 says so. */
  private void resized(MovingDisk disk, BlkDevice device, Terminal io) {
    var path = Path.of(String.valueOf(file));
    try {
      // What is no raw file has its length within, and that only we can have changed.
      if ("raw".equals(format) && Files.isRegularFile(path)) {
        long size = Files.size(path);
        boolean _ = disk.use(node -> grow(node, size));
      }
      device.resized();
    } catch (IOException | BlockFault e) {
      io.error(name() + ": cannot take the new length of '" + file + "': " + e.getMessage());
    }
  }

  private static void grow(BlockNode node, long size) throws BlockFault {
    if (size > node.length()) {
      node.resize(size, Preallocation.OFF);
    }
  }

  private MovingDisk open(String name, Terminal io) throws BlockFault {
    OpenMode how = readOnly ? mode.withWritable(false) : mode;
    OpenMode aside = mode.withWritable(false).withForceShare(true);
    MovingDisk.Opening opening =
        use ->
            new Opener(OpenPolicy.ANYTHING, new NbdDriver())
                .warning(io::error)
                .open(name, format, use ? how : aside);
    return incoming ? MovingDisk.elsewhere(opening, readOnly) : MovingDisk.here(opening);
  }
}
