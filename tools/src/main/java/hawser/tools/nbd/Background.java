package hawser.tools.nbd;

import hawser.base.UsageFault;
import hawser.tools.Terminal;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code --fork} without fork(2): starts the same command line once more as a process of its own
 * and waits until that one says that clients can connect.
 */
final class Background {
  /** Set in the environment of the process that stays. */
  private static final String MARK = "HAWSER_NBD_DETACHED";

  private static final int READY = '+';

  private Background() {}

  /** Whether this is the process that stays. */
  static boolean detached() {
    return System.getenv(MARK) != null;
  }

  /**
   * Starts the process that stays, and passes on what it complains about until it is ready.
   *
   * @return 0 when it is ready and has said nothing, else 1
   */
  static int start(boolean verbose, Terminal io) {
    try {
      Path complaints = Files.createTempFile("hawser-nbd", ".err");
      try {
        return start(verbose, complaints, io);
      } finally {
        Files.delete(complaints);
      }
    } catch (IOException e) {
      throw new UsageFault("Failed to daemonize: " + e.getMessage());
    }
  }

  private static int start(boolean verbose, Path complaints, Terminal io) throws IOException {
    var builder = new ProcessBuilder(ownCommand());
    builder.environment().put(MARK, "1");
    builder.redirectInput(Path.of("/dev/null").toFile());
    if (verbose) {
      builder.redirectError(ProcessBuilder.Redirect.INHERIT);
    } else {
      builder.redirectError(complaints.toFile());
    }
    Process child = builder.start();
    boolean ready = child.getInputStream().read() == READY;
    String said = Files.readString(complaints);
    io.err().append(said);
    io.err().flush();
    return ready && said.isEmpty() ? 0 : 1;
  }

  /** The arguments this process was started with, in a session of its own where that can be had. */
  private static List<String> ownCommand() throws IOException {
    var command = new ArrayList<String>();
    Path setsid = Path.of("/usr/bin/setsid");
    if (Files.isExecutable(setsid)) {
      command.add(setsid.toString());
    }
    String all = Files.readString(Path.of("/proc/self/cmdline"), StandardCharsets.UTF_8);
    for (String argument : all.split("\0", -1)) {
      command.add(argument);
    }
    // The list ends with a zero byte, so what follows the last one is no argument.
    command.removeLast();
    return command;
  }

  /** Tells the process that waits, if one does, that clients can connect. */
  static void ready(Terminal io) {
    if (detached()) {
      io.out().write(READY);
      io.flush();
      try {
        System.in.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
