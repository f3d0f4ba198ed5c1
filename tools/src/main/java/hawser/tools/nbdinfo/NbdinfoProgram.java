package hawser.tools.nbdinfo;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.base.UsageFault;
import hawser.nbd.NbdUri;
import hawser.nbd.client.Connector;
import hawser.nbd.client.LaunchedServer;
import hawser.nbd.client.NbdClient;
import hawser.nbd.tls.UriCredentials;
import hawser.tools.Command;
import hawser.tools.DiskOperand;
import hawser.tools.Getopt;
import hawser.tools.Option;
import hawser.tools.Program;
import hawser.tools.Terminal;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Tells what an NBD server offers, with nbdinfo's command line, output and exit codes. */
public final class NbdinfoProgram implements Program {
  /** What a question that is answered with no ends with. */
  private static final int NO = 2;

  private static final Command COMMAND =
      new Command(
          "",
          "Tell what an NBD server offers",
          "NBD-URI",
          List.of(
              Option.flag("help", "print this help and exit"),
              Option.flag('V', "version", "print the version and exit"),
              Option.flag("json", "for programs"),
              Option.flag('L', "list", "all exports of the server"),
              Option.flag("size", "only the size in bytes"),
              new Option(
                  (char) 0, "map", Option.Takes.MAYBE, "CONTEXT", "extents (base:allocation)"),
              Option.flag("totals", "with --map: sums instead of extents"),
              Option.value("is", "WHAT", "read-only, rotational or tls: exit code 0 or 2"),
              Option.value("can", "WHAT", "connect, read, write, flush, ...: exit code 0 or 2"),
              Option.flag("content", "say what the first bytes look like"),
              Option.flag("no-content", "do not look at the first bytes"),
              Option.flag("color", "colour the output"),
              Option.flag("colour", "colour the output"),
              Option.flag("no-color", "no colours"),
              Option.flag("no-colour", "no colours")));

  private boolean json;
  private boolean list;
  private boolean size;
  private boolean totals;
  private boolean color;
  private @Nullable Boolean content;
  private @Nullable String map;
  private @Nullable String is;
  private @Nullable String can;

  /** For one call of the command line. */
  public NbdinfoProgram() {}

  @Override
  public String name() {
    return "nbdinfo";
  }

  @Override
  public List<Command> commands() {
    return List.of(COMMAND);
  }

  @Override
  public int run(String[] args, Terminal io) {
    var line = new Getopt("nbdinfo", "Try 'nbdinfo --help'.", COMMAND.options(), args, io);
    while (line.next()) {
      switch (line.key()) {
        case "help" -> {
          io.print(COMMAND.help("nbdinfo"));
          return 0;
        }
        case "V" -> {
          io.line("nbdinfo (Hawser) 0.1.0");
          return 0;
        }
        default -> take(line);
      }
    }
    List<DiskOperand> operands = DiskOperand.parse(line.operands());
    if (operands.size() != 1) {
      throw new UsageFault(
          operands.isEmpty() ? "no NBD URI was given" : "only one NBD URI can be given");
    }
    return switch (operands.getFirst()) {
      case DiskOperand.Named(String name) -> run(uri(name), true, io);
      case DiskOperand.Launched(var command) -> launch(command, io);
    };
  }

  private int launch(List<String> command, Terminal io) {
    try (var server = LaunchedServer.start(command)) {
      return run(server.uri(), false, io);
    } catch (BlockFault e) {
      throw new UsageFault(String.valueOf(e.getMessage()));
    }
  }

  private void take(Getopt line) {
    switch (line.key()) {
      case "json" -> json = true;
      case "L" -> list = true;
      case "size" -> size = true;
      case "map" -> map = line.hasValue() ? line.value() : "base:allocation";
      case "totals" -> totals = true;
      case "is" -> is = line.value();
      case "can" -> can = line.value();
      case "content" -> content = true;
      case "no-content" -> content = false;
      case "color", "colour" -> color = true;
      case "no-color", "no-colour" -> color = false;
      default -> throw line.unhandled();
    }
  }

  private static NbdUri uri(String text) {
    try {
      return NbdUri.parse(text);
    } catch (IllegalArgumentException e) {
      throw new UsageFault(String.valueOf(e.getMessage()));
    }
  }

  private int run(NbdUri uri, boolean lasting, Terminal io) {
    int modes = (list ? 1 : 0) + (size ? 1 : 0) + (map != null ? 1 : 0);
    modes += (is != null ? 1 : 0) + (can != null ? 1 : 0);
    if (modes > 1) {
      throw new UsageFault(
          "you cannot use --can, --is, --list, --map and --size options together.");
    }
    if (totals && map == null) {
      throw new UsageFault("you must use --totals only with --map option.");
    }
    try {
      Connector connector = Connector.of(uri, uri.tls() ? UriCredentials.of(uri) : null);
      return run(uri, lasting, connector, io);
    } catch (BlockFault | PeerFault e) {
      throw new UsageFault(String.valueOf(e.getMessage()));
    }
  }

  private int run(NbdUri uri, boolean lasting, Connector connector, Terminal io) throws BlockFault {
    if (size || is != null || can != null) {
      try (NbdClient client = connector.connect()) {
        if (size) {
          io.line(String.valueOf(client.server().size()));
          return 0;
        }
        return Question.answer(client.server(), is, can) ? 0 : NO;
      }
    }
    if (map != null) {
      try (NbdClient client = connector.withContexts(List.of(map)).connect()) {
        new MapReport(map, json, totals, color).print(client, io);
      }
      return 0;
    }
    boolean looks = content == null ? !list : content;
    new ServerReport(uri, lasting, connector, json, looks, color).print(list, io);
    return 0;
  }
}
