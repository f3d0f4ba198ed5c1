package hawser.tools.img;

import hawser.base.UsageFault;
import hawser.tools.Command;
import hawser.tools.Getopt;
import hawser.tools.Option;
import hawser.tools.Program;
import hawser.tools.Terminal;
import java.util.List;

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
    return List.of();
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
    throw new UsageFault("Command not found: " + operands.getFirst() + "\n" + HINT);
  }

  private int help(Terminal io) {
    io.print(new Command("", "Works on disk images", "COMMAND", OPTIONS).help("qemu-img"));
    return 0;
  }
}
