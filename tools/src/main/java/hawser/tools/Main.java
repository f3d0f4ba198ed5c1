package hawser.tools;

import hawser.base.UsageFault;
import java.util.Arrays;

/**
 * The one executable. Which program runs is said by the name it was called as (system property
 * {@code hawser.called}, or {@code --as NAME} in front, for launchers named {@code qemu-img} and so
 * on), else by the first argument: {@code hawser img info disk.img}.
 */
public final class Main {
  private Main() {}

  /** Runs a program and ends the process with its exit code. */
  public static void main(String[] args) {
    Terminal io = Terminal.ofProcess();
    int code = run(args, System.getProperty("hawser.called", ""), io);
    io.flush();
    System.exit(code);
  }

  /**
   * Runs a program and returns its exit code.
   *
   * @param called the name the executable was called as, or "" to take the first argument
   */
  public static int run(String[] args, String called, Terminal io) {
    String name = called;
    int skip = 0;
    if (args.length > 1 && args[0].equals("--as")) {
      name = args[1];
      skip = 2;
    } else if (called.isEmpty() && args.length > 0) {
      name = args[0];
      skip = 1;
    }
    Program program = Programs.named(name);
    if (program == null) {
      return none(name, io);
    }
    return run(program, Arrays.copyOfRange(args, skip, args.length), io);
  }

  private static int run(Program program, String[] args, Terminal io) {
    try {
      return program.run(args, io);
    } catch (UsageFault fault) {
      String text = String.valueOf(fault.getMessage());
      if (!text.isEmpty()) {
        io.error(program.messageName() + ": " + text);
      }
      return fault.exitCode();
    }
  }

  private static int none(String name, Terminal io) {
    boolean asked = name.equals("--help") || name.equals("-h") || name.equals("help");
    if (!asked) {
      io.error(name.isEmpty() ? "hawser: Not enough arguments" : "hawser: no program " + name);
    }
    String usage =
        "Usage: hawser PROGRAM [ARGUMENT]...\nPrograms: " + String.join(" ", Programs.NAMES);
    if (asked) {
      io.line(usage);
      return 0;
    }
    io.error(usage);
    return 1;
  }
}
