package hawser.tools.vhostuser;

import hawser.base.UsageFault;
import hawser.tools.Command;
import hawser.tools.Getopt;
import hawser.tools.Option;
import hawser.tools.Terminal;
import hawser.vhost.backend.BackEndOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What the command lines of all vhost-user back-ends have in common (vhost-user, "Backend program
 * conventions").
 */
final class BackEndLine {
  private static final List<Option> COMMON =
      List.of(
          Option.value("socket-path", "PATH", "listen on this unix socket"),
          Option.value("fd", "FDNUM", "serve this socket, connected or listening"),
          Option.flag("print-capabilities", "say what this program can, as JSON, and exit"),
          Option.value("poll-us", "N", "microseconds a queue stays awake for more (default 50)"),
          Option.flag('h', "help", "print this help and exit"),
          Option.flag('V', "version", "print the version and exit"));

  private static final int POLL_MICROS_MAX = 1_000_000;

  private final String program;
  private final Terminal io;
  @Nullable Path socketPath;
  int fd = -1;

  /** Takes what somebody should know; standard error if nobody says otherwise. */
  Consumer<String> log;

  private long pollNanos = BackEndOptions.POLL_NANOS;
  private boolean capabilities;
  private boolean help;
  private boolean version;

  BackEndLine(String program, Terminal io) {
    this.program = program;
    this.io = io;
    this.log = text -> io.error(program + ": " + text);
  }

  /** A command with the common options and those of one device. */
  static Command command(String text, Option... own) {
    var all = new ArrayList<>(COMMON.subList(0, 2));
    all.addAll(List.of(own));
    all.addAll(COMMON.subList(2, COMMON.size()));
    return new Command("", text, "", all);
  }

  /**
   * Reads a whole command line and checks that it names one socket. False: it asked for something
   * that is said and done with.
   *
   * @param own takes the options that are the device's
   */
  boolean read(String[] args, Command command, Capabilities can, Consumer<Getopt> own) {
    var line =
        new Getopt(program, "Try '%s --help'".formatted(program), command.options(), args, io);
    while (line.next()) {
      if (!take(line)) {
        own.accept(line);
      }
    }
    if (answered(command, can)) {
      return false;
    }
    if (!line.operands().isEmpty()) {
      throw new UsageFault("unexpected argument '" + line.operands().getFirst() + "'");
    }
    checkSocket();
    return true;
  }

  /** Takes the option that {@code line} stands at, if it is one of the common ones. */
  private boolean take(Getopt line) {
    switch (line.key()) {
      case "socket-path" -> socketPath = Path.of(line.value());
      case "fd" -> fd = number("--fd", line.value(), Integer.MAX_VALUE);
      case "poll-us" -> pollNanos = number("--poll-us", line.value(), POLL_MICROS_MAX) * 1000L;
      case "print-capabilities" -> capabilities = true;
      case "h" -> help = true;
      case "V" -> version = true;
      default -> {
        return false;
      }
    }
    return true;
  }

  static int number(String option, String text, int most) {
    try {
      int value = Integer.parseInt(text);
      if (value >= 0 && value <= most) {
        return value;
      }
    } catch (NumberFormatException e) {
      throw new UsageFault("%s: '%s' is not a number".formatted(option, text));
    }
    throw new UsageFault("%s: %s is not 0 to %d".formatted(option, text, most));
  }

  /** Whether the line asked for something that is said and done with. */
  private boolean answered(Command command, Capabilities own) {
    if (capabilities) {
      io.line(own.json());
    } else if (help) {
      io.print(command.help(program));
    } else if (version) {
      io.line(program + " (Hawser) 0.1.0");
    }
    return capabilities || help || version;
  }

  /** Checks that there is one socket, and one only. */
  private void checkSocket() {
    if ((socketPath == null) == (fd < 0)) {
      throw new UsageFault("one of --socket-path and --fd is needed");
    }
  }

  BackEndOptions options() {
    return new BackEndOptions(pollNanos, false, false, log, CrashPoint.fromProperty());
  }
}
