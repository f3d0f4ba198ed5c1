package hawser.tools.vhostuser;

import hawser.base.BlockFault;
import hawser.base.UsageFault;
import hawser.devices.vsock.VsockDevice;
import hawser.devices.vsock.VsockOptions;
import hawser.tools.Command;
import hawser.tools.Getopt;
import hawser.tools.Option;
import hawser.tools.Program;
import hawser.tools.StaleSocket;
import hawser.tools.StopSignal;
import hawser.tools.Terminal;
import java.nio.file.Path;
import java.util.List;

/** Gives VM sockets to a guest over vhost-user, bridged to unix sockets. */
public final class VhostUserVsockProgram implements Program {
  private static final Command TABLE =
      BackEndLine.command(
          "Give sockets to a virtual machine over vhost-user, bridged to unix sockets",
          Option.value("guest-cid", "CID", "the guest's context identifier (default 3)"),
          Option.value(
              "uds-path", "PATH", "the socket to reach the guest by; its own go to PATH_PORT"),
          Option.value("tx-buffer-size", "N", "bytes kept for a slow reader (default 65536)"));

  private long guestCid = VsockOptions.CID_MIN;
  private String socket = "";
  private int room = VsockOptions.ROOM;

  /** For one call of the command line. */
  public VhostUserVsockProgram() {}

  @Override
  public String name() {
    return "vhost-user-vsock";
  }

  @Override
  public List<Command> commands() {
    return List.of(TABLE);
  }

  @Override
  public int run(String[] args, Terminal io) {
    var common = new BackEndLine(name(), io);
    var can = new Capabilities("vsock", List.of());
    if (!common.read(args, TABLE, can, this::take)) {
      return 0;
    }
    if (socket.isEmpty()) {
      throw new UsageFault("--uds-path is needed");
    }
    VsockOptions options = options();
    Path path = Path.of(socket);
    StaleSocket.remove(path, "--uds-path takes another one");
    try (var stop = new StopSignal();
        var device = VsockDevice.listen(options)) {
      int exitCode = new ServedDevice(device, common, stop).run();
      StaleSocket.forget(path);
      return exitCode;
    } catch (BlockFault e) {
      throw new UsageFault(String.valueOf(e.getMessage()));
    }
  }

  private VsockOptions options() {
    try {
      return new VsockOptions(guestCid, socket, room);
    } catch (IllegalArgumentException e) {
      throw new UsageFault(String.valueOf(e.getMessage()));
    }
  }

  private void take(Getopt line) {
    switch (line.key()) {
      case "guest-cid" -> {
        try {
          guestCid = Long.parseLong(line.value());
        } catch (NumberFormatException e) {
          throw new UsageFault("--guest-cid: '%s' is not a number".formatted(line.value()));
        }
      }
      case "uds-path" -> socket = line.value();
      case "tx-buffer-size" ->
          room = BackEndLine.number("--tx-buffer-size", line.value(), VsockOptions.ROOM_MAX);
      default -> throw line.unhandled();
    }
  }
}
