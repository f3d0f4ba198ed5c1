package hawser.tools.fsstate;

import hawser.base.UsageFault;
import hawser.fs.state.CountingSink;
import hawser.fs.state.QemuStream;
import hawser.fs.state.StateForms;
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

  private static final Command PROGRESS =
      new Command(
          "progress",
          "Ask a running daemon how far its guest's departure or arrival is",
          "SOCKET",
          List.of(HELP));

  private static final Command METRICS =
      new Command(
          "metrics",
          "Ask a running daemon for the same as numbers, in Prometheus' text format",
          "SOCKET",
          List.of(HELP));

  private static final List<Command> COMMANDS = List.of(SHOW, PREFLIGHT, PROGRESS, METRICS);

  /** For one call of the command line. */
  public FsStateProgram() {}

  @Override
  public String name() {
    return "fs-state";
  }

  @Override
  public List<Command> commands() {
    return COMMANDS;
  }

  @Override
  public int run(String[] args, Terminal io) {
    String wanted = args.length == 0 ? "" : args[0];
    if (wanted.equals("-h") || wanted.equals("--help")) {
      commands().forEach(command -> io.print(command.help(name())));
      return 0;
    }
    Command command = named(wanted);
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
      return command.equals(SHOW) ? show(path, json, io) : ask(path, wanted, io);
    } catch (IOException e) {
      throw new UsageFault("%s: %s".formatted(path, e.getMessage()));
    }
  }

  private static Command named(String wanted) {
    return COMMANDS.stream()
        .filter(command -> command.name().equals(wanted))
        .findFirst()
        .orElseThrow(
            () ->
                new UsageFault(
                    "'show', 'preflight', 'progress' or 'metrics' is needed, not '%s'"
                        .formatted(wanted)));
  }

  /** Nothing is printed of a state before all of it has been read once and found whole. */
  private static int show(Path path, boolean json, Terminal io) throws IOException {
    try (FileChannel file = FileChannel.open(path)) {
      StateForms form = StateForms.read(state(file), new CountingSink());
      StateForms.read(state(file), json ? new JsonLines(io::line) : new TextLines(io::line, form));
    }
    return 0;
  }

  private static InputStream state(FileChannel file) throws IOException {
    file.position(0);
    return QemuStream.begins(file) ? QemuStream.state(file) : Channels.newInputStream(file);
  }

  /** The daemon's answer as it is; to preflight, its first word tells the exit code. */
  private static int ask(Path socket, String question, Terminal io) throws IOException {
    try (SocketChannel daemon = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      daemon.connect(UnixDomainSocketAddress.of(socket));
      daemon.write(StandardCharsets.UTF_8.encode(question + "\n"));
      daemon.shutdownOutput();
      String answer =
          new String(Channels.newInputStream(daemon).readAllBytes(), StandardCharsets.UTF_8);
      io.print(answer);
      return answer.startsWith("not ready") ? 1 : 0;
    }
  }
}
