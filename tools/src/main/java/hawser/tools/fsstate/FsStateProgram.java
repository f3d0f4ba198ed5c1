package hawser.tools.fsstate;

import hawser.base.UsageFault;
import hawser.fs.state.QemuStream;
import hawser.fs.state.StateForms;
import hawser.fs.state.StateSink;
import hawser.tools.Command;
import hawser.tools.Getopt;
import hawser.tools.Option;
import hawser.tools.Program;
import hawser.tools.Terminal;
import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Prints what a guest's state of a shared folder holds, and asks a daemon what one would hold. */
public final class FsStateProgram implements Program {
  private static final Option HELP = Option.flag('h', "help", "print this help and exit");

  private static final Command SHOW =
      new Command(
          "show",
          "Print a state: Hawser's, virtiofsd's, or out of a migration stream of QEMU's",
          "FILE",
          List.of(Option.flag("json", "a JSON object for each piece, one a line"), HELP));

  private static final Command PREFLIGHT =
      new Command(
          "preflight",
          "Ask a running daemon (virtiofsd --control-socket) what would not survive a migration now",
          "SOCKET",
          List.of(HELP));

  /** For one call of the command line. */
  public FsStateProgram() {}

  @Override
  public String name() {
    return "fs-state";
  }

  @Override
  public List<Command> commands() {
    return List.of(SHOW, PREFLIGHT);
  }

  @Override
  public int run(String[] args, Terminal io) {
    String wanted = args.length == 0 ? "" : args[0];
    if (wanted.equals("-h") || wanted.equals("--help")) {
      commands().forEach(command -> io.print(command.help(name())));
      return 0;
    }
    Command command =
        switch (wanted) {
          case "show" -> SHOW;
          case "preflight" -> PREFLIGHT;
          default -> throw new UsageFault("'show' or 'preflight' is needed, not '" + wanted + "'");
        };
    String[] rest = Arrays.copyOfRange(args, 1, args.length);
    var line = new Getopt(name(), "Try 'fs-state --help'", command.options(), rest, io);
    boolean json = false;
    while (line.next()) {
      switch (line.key()) {
        case "json" -> json = true;
        case "h" -> {
          io.print(command.help(name()));
          return 0;
        }
        default -> throw line.unhandled();
      }
    }
    if (line.operands().size() != 1) {
      throw new UsageFault("one %s is needed".formatted(command.operands()));
    }
    Path path = Path.of(line.operands().getFirst());
    try {
      return command.equals(SHOW) ? show(path, json, io) : preflight(path, io);
    } catch (IOException e) {
      throw new UsageFault("%s: %s".formatted(path, e.getMessage()));
    }
  }

  private static int show(Path path, boolean json, Terminal io) throws IOException {
    StateSink sink = json ? new JsonLines(io::line) : new TextLines(io::line);
    try (FileChannel file = FileChannel.open(path)) {
      InputStream state =
          QemuStream.begins(file) ? QemuStream.state(file) : Channels.newInputStream(file);
      StateForms.read(state, sink);
    }
    return 0;
  }

  /** The daemon's answer as it is; its first word tells the exit code. */
  private static int preflight(Path socket, Terminal io) throws IOException {
    try (SocketChannel daemon = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      daemon.connect(UnixDomainSocketAddress.of(socket));
      daemon.write(StandardCharsets.UTF_8.encode("preflight\n"));
      daemon.shutdownOutput();
      String answer =
          new String(Channels.newInputStream(daemon).readAllBytes(), StandardCharsets.UTF_8);
      io.print(answer);
      return answer.startsWith("ready") ? 0 : 1;
    }
  }
}
