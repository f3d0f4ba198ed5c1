package hawser.tools.vhostuser;

import hawser.base.BlockFault;
import hawser.base.UsageFault;
import hawser.devices.console.ConsoleDevice;
import hawser.devices.console.ConsoleLine;
import hawser.devices.console.PtyLine;
import hawser.devices.console.SocketLine;
import hawser.tools.Command;
import hawser.tools.Getopt;
import hawser.tools.Option;
import hawser.tools.Program;
import hawser.tools.StaleSocket;
import hawser.tools.StopSignal;
import hawser.tools.Terminal;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Gives a console to a guest over vhost-user. */
public final class VhostUserConsoleProgram implements Program {
  private static final int SIZE_MAX = 0xffff;

  private static final Command TABLE =
      BackEndLine.command(
          "Give a console to a virtual machine over vhost-user",
          Option.flag("pty", "make a pseudo-terminal and print its path"),
          Option.value("console-socket", "PATH", "whoever connects to this unix socket has it"),
          Option.value("cols", "N", "the console's columns"),
          Option.value("rows", "N", "the console's rows"));

  private boolean pty;
  private @Nullable Path consoleSocket;
  private int columns;
  private int rows;

  /** For one call of the command line. */
  public VhostUserConsoleProgram() {}

  @Override
  public String name() {
    return "vhost-user-console";
  }

  @Override
  public List<Command> commands() {
    return List.of(TABLE);
  }

  @Override
  public int run(String[] args, Terminal io) {
    var common = new BackEndLine(name(), io);
    var can = new Capabilities("console", List.of());
    if (!common.read(args, TABLE, can, this::take)) {
      return 0;
    }
    try (var stop = new StopSignal();
        var device = new ConsoleDevice(line(io), columns, rows)) {
      int exitCode = new ServedDevice(device, common, stop).run();
      if (consoleSocket != null) {
        StaleSocket.forget(consoleSocket);
      }
      return exitCode;
    } catch (BlockFault e) {
      throw new UsageFault(String.valueOf(e.getMessage()));
    }
  }

  private void take(Getopt line) {
    switch (line.key()) {
      case "pty" -> pty = true;
      case "console-socket" -> consoleSocket = Path.of(line.value());
      case "cols" -> columns = BackEndLine.number("--cols", line.value(), SIZE_MAX);
      case "rows" -> rows = BackEndLine.number("--rows", line.value(), SIZE_MAX);
      default -> throw line.unhandled();
    }
  }

  private ConsoleLine line(Terminal io) throws BlockFault {
    if (pty == (consoleSocket != null)) {
      throw new UsageFault("one of --pty and --console-socket is needed");
    }
    if (consoleSocket != null) {
      StaleSocket.remove(consoleSocket, "--console-socket takes another one");
      return SocketLine.listen(consoleSocket.toString());
    }
    PtyLine made = PtyLine.open();
    io.line(made.name());
    io.flush();
    return made;
  }
}
