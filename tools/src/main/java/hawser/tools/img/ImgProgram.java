package hawser.tools.img;

import hawser.base.BlockFault;
import hawser.base.UsageFault;
import hawser.block.Driver;
import hawser.tools.Command;
import hawser.tools.Getopt;
import hawser.tools.Option;
import hawser.tools.Program;
import hawser.tools.Terminal;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The qemu-img of Hawser: picks the command and runs it. */
public final class ImgProgram implements Program {
  /** The version whose behaviour is followed; scripts read it out of {@code --version}. */
  static final String VERSION = "10.0.2";

  private static final String HINT = "Try 'qemu-img --help' for more info";

  private static final List<Option> OPTIONS =
      List.of(
          Option.flag('h', "help", "print this help and exit"),
          Option.flag('V', "version", "print the version and exit"),
          Option.value('T', "trace", "TRACE", "accepted and ignored: there are no trace points"));

  @Override
  public String name() {
    return "img";
  }

  @Override
  public String messageName() {
    return "qemu-img";
  }

  @Override
  public List<Command> commands() {
    return List.of(
        CheckCommand.TABLE,
        CompareCommand.TABLE,
        ConvertCommand.TABLE,
        CreateCommand.TABLE,
        DdCommand.TABLE,
        InfoCommand.TABLE,
        InspectCommand.TABLE,
        MapCommand.TABLE,
        MeasureCommand.TABLE,
        RebaseCommand.TABLE,
        ResizeCommand.TABLE,
        SnapshotCommand.TABLE);
  }

  /** A plain switch, so that the classes of commands that do not run are never loaded. */
  private static @Nullable ImgCommand command(String name) {
    return switch (name) {
      case "check" -> new CheckCommand();
      case "inspect" -> new InspectCommand();
      case "compare" -> new CompareCommand();
      case "convert" -> new ConvertCommand();
      case "create" -> new CreateCommand();
      case "dd" -> new DdCommand();
      case "info" -> new InfoCommand();
      case "map" -> new MapCommand();
      case "measure" -> new MeasureCommand();
      case "rebase" -> new RebaseCommand();
      case "snapshot" -> new SnapshotCommand();
      case "amend", "bench", "bitmap", "commit" ->
          throw new UsageFault("Hawser has no command '" + name + "' yet");
      default -> null;
    };
  }

  @Override
  public int run(String[] args, Terminal io) {
    if (args.length == 0) {
      throw new UsageFault("Not enough arguments\n" + HINT);
    }
    var line = new Getopt("qemu-img", HINT, OPTIONS, args, io, false);
    while (line.next()) {
      switch (line.key()) {
        case "h" -> {
          return help(io);
        }
        case "V" -> {
          io.line("qemu-img version " + VERSION + " (Hawser)");
          return 0;
        }
        case "T" -> {}
        default -> throw line.unhandled();
      }
    }
    List<String> operands = line.operands();
    if (operands.isEmpty()) {
      return 0;
    }
    String[] rest = operands.subList(1, operands.size()).toArray(new String[0]);
    return run(operands.getFirst(), rest, io);
  }

  private static int run(String name, String[] args, Terminal io) {
    try {
      if (name.equals("resize")) {
        return ResizeCommand.run(args, io);
      }
      ImgCommand command = command(name);
      if (command == null) {
        throw new UsageFault("Command not found: " + name + "\n" + HINT);
      }
      return command.run(new ImgLine(command.table(), args, io));
    } catch (BlockFault fault) {
      throw new UsageFault(fault.getMessage());
    }
  }

  private int help(Terminal io) {
    io.print(new Command("", "Works on disk images", "COMMAND", OPTIONS).help("qemu-img"));
    io.print("\nCommands (qemu-img COMMAND --help says more):\n");
    for (Command command : commands()) {
      io.line("  " + command.name() + " - " + command.text());
    }
    io.print("\nSupported formats:");
    for (Driver driver : Images.opener().drivers()) {
      io.print(" " + driver.name());
    }
    io.print("\n");
    return 0;
  }
}
