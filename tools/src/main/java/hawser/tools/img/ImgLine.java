package hawser.tools.img;

import hawser.base.UsageFault;
import hawser.tools.Command;
import hawser.tools.Getopt;
import hawser.tools.Terminal;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One command's line. The options that most commands share are taken here, so that a command's own
 * loop sees only its own.
 */
final class ImgLine {
  private final Command table;
  private final Getopt line;
  private final Terminal io;
  private final List<String> objects = new ArrayList<>();
  private @Nullable String format;
  private boolean json;
  private boolean imageOpts;
  private boolean forceShare;
  private boolean quiet;
  private boolean progress;
  private boolean helped;

  ImgLine(Command table, String[] args, Terminal io) {
    this.table = table;
    this.io = io;
    this.line =
        new Getopt("qemu-img " + table.name(), hint(table.name()), table.options(), args, io);
  }

  private static String hint(String command) {
    return "Try 'qemu-img " + command + " --help' for more info";
  }

  /** Moves to the next option of the command's own. */
  boolean next() {
    while (line.next()) {
      switch (line.key()) {
        case "h" -> {
          io.print(table.help("qemu-img"));
          helped = true;
          return false;
        }
        case "f" -> format = line.value();
        case "output" -> json = outputIsJson(line.value());
        case "image-opts" -> imageOpts = true;
        case "U" -> forceShare = true;
        case "q" -> quiet = true;
        case "p" -> progress = true;
        case "object" -> objects.add(line.value());
        default -> {
          return true;
        }
      }
    }
    return false;
  }

  private boolean outputIsJson(String value) {
    return switch (value) {
      case "json" -> true;
      case "human" -> false;
      default -> throw usage("--output expects 'human' or 'json' not '" + value + "'");
    };
  }

  /** A misuse of this command: its words, then the hint where help is. */
  UsageFault usage(String text) {
    return usage(text, 1);
  }

  /** As above with an exit code. */
  UsageFault usage(String text, int exitCode) {
    return new UsageFault(text + "\n" + hint(table.name()), exitCode);
  }

  /** Whether help was asked for and printed, so that there is nothing left to do. */
  boolean helped() {
    return helped;
  }

  String key() {
    return line.key();
  }

  String value() {
    return line.value();
  }

  AssertionError unhandled() {
    return line.unhandled();
  }

  List<String> operands() {
    return line.operands();
  }

  /** The only operand. */
  String operand(String complaint) {
    List<String> operands = line.operands();
    if (operands.size() != 1) {
      throw usage(complaint);
    }
    return operands.getFirst();
  }

  Terminal io() {
    return io;
  }

  @Nullable String format() {
    return format;
  }

  boolean json() {
    return json;
  }

  boolean imageOpts() {
    return imageOpts;
  }

  boolean forceShare() {
    return forceShare;
  }

  boolean quiet() {
    return quiet;
  }

  boolean progress() {
    return progress && !quiet;
  }

  /** The values of {@code --object}, in order. */
  List<String> objects() {
    return List.copyOf(objects);
  }

  /** Prints a line unless quiet. */
  void say(String text) {
    if (!quiet) {
      io.line(text);
    }
  }
}
