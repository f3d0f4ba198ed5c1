package hawser.tools.sandbox;

import hawser.base.BlockFault;
import hawser.base.UsageFault;
import hawser.sys.PrivilegeCalls;
import hawser.sys.ProcessCalls;
import hawser.sys.Result;
import hawser.sys.Spawn;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Which of several programs on the way to a confined daemon this process is. All are started by the
 * same command line, but for one property of the Java virtual machine.
 *
 * @param name the property's value, or "" in the first
 * @param socket the descriptor to serve, which goes from stage to stage, or -1
 */
record Stage(String name, int socket) {
  /** Starts daemons, and another one when one dies. */
  private static final String SUPERVISOR = "supervisor";

  /** Started by a supervisor, on the way to the daemon. */
  private static final String SUPERVISED = "supervised";

  /** In a user namespace of its own, where it may do all else. */
  static final String MAPPED = "mapped";

  /** The daemon, where nobody else is needed. */
  static final String CONFINED = "confined";

  /** The daemon, with a descriptor whose other end is with a {@link Keeper}. */
  private static final String KEPT = "kept-";

  private static final String PROPERTY = "hawser.sandbox";
  private static final Path OWN = Path.of("/proc/self");

  static Stage current() {
    String[] fields = System.getProperty(PROPERTY, ",-1").split(",", -1);
    return new Stage(fields[0], Integer.parseInt(fields[1]));
  }

  static void skipLauncher() {
    System.setProperty(PROPERTY, CONFINED + ",-1");
  }

  /** The stage of a daemon with a keeper. */
  static Stage kept(int handshake, int socket) {
    return new Stage(KEPT + handshake, socket);
  }

  /** The stage that supervises the others. */
  static Stage supervisor(int socket) {
    return new Stage(SUPERVISOR, socket);
  }

  /** The first stage of one that is supervised; its socket is the channel to the supervisor. */
  static Stage supervised(int channel) {
    return new Stage(SUPERVISED, channel);
  }

  /** Whether somebody has started this process by hand, and not an earlier stage. */
  boolean isFirst() {
    return name.isEmpty();
  }

  boolean isSupervisor() {
    return name.equals(SUPERVISOR);
  }

  boolean isMapped() {
    return name.equals(MAPPED);
  }

  boolean isDaemon() {
    return name.equals(CONFINED) || name.startsWith(KEPT);
  }

  /** The descriptor to a keeper, or -1. */
  int keeper() {
    return name.startsWith(KEPT) ? Integer.parseInt(name.substring(KEPT.length())) : -1;
  }

  /**
   * Becomes the daemon, with some of the capabilities.
   *
   * @return never; the type is for the compiler's sake
   */
  static UsageFault become(long capabilities, int socket) {
    return become(capabilities, new Stage(CONFINED, socket));
  }

  /** Becomes a stage with some of the capabilities. */
  static UsageFault become(long capabilities, Stage stage) {
    try {
      Result.orFault(PrivilegeCalls.keepOnly(capabilities), "cannot give up capabilities");
    } catch (BlockFault e) {
      throw new UsageFault(e.getMessage());
    }
    return become(List.of(), stage);
  }

  /** Becomes a stage, by way of another program if {@code before} names one. */
  static UsageFault become(List<String> before, Stage stage) {
    var command = new ArrayList<>(before);
    command.addAll(stage.command());
    keepOpen(stage.socket, -1);
    long result = Spawn.become(command.getFirst(), command, environment());
    throw new UsageFault(
        "cannot become %s: %s".formatted(command.getFirst(), Result.errno(result).text()));
  }

  /** The command line of a stage. */
  List<String> command() {
    try {
      String all = Files.readString(OWN.resolve("cmdline"), StandardCharsets.UTF_8);
      var words = new ArrayList<>(List.of(all.split("\0", -1)));
      // Each word ends with a NUL.
      words.removeLast();
      words.removeIf(word -> word.startsWith("-D" + PROPERTY + "="));
      words.set(0, Files.readSymbolicLink(OWN.resolve("exe")).toString());
      words.add(1, "-D%s=%s,%d".formatted(PROPERTY, name, socket));
      return words;
    } catch (IOException e) {
      throw new UsageFault("--sandbox needs /proc: " + e.getMessage());
    }
  }

  static List<String> environment() {
    return System.getenv().entrySet().stream()
        .map(variable -> variable.getKey() + "=" + variable.getValue())
        .toList();
  }

  /** Lets a new program find no descriptors but the first three and these. */
  static void keepOpen(int one, int other) {
    String[] open = new File("/proc/self/fd").list();
    for (String each : open == null ? new String[0] : open) {
      int fd = Integer.parseInt(each);
      if (fd > 2) {
        ProcessCalls.inherited(fd, fd == one || fd == other);
      }
    }
  }
}
