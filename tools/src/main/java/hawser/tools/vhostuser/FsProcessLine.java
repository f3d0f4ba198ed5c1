package hawser.tools.vhostuser;

import hawser.base.UsageFault;
import hawser.fs.passthrough.HandleMode;
import hawser.sys.ProcessCalls;
import hawser.sys.Result;
import hawser.sys.Seccomp;
import hawser.sys.SystemLog;
import hawser.tools.Getopt;
import hawser.tools.Option;
import hawser.tools.Terminal;
import hawser.tools.sandbox.IdMapping;
import hawser.tools.sandbox.Sandbox;
import hawser.tools.sandbox.SandboxMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** virtiofsd's options about its process: what it may do and see, and where it says what. */
final class FsProcessLine {
  /** As many as virtiofsd takes at least, and at most if nobody says anything. */
  private static final int OPEN_FILES_MIN = 610;

  private static final int OPEN_FILES_MAX = 1_000_000;

  static final List<Option> OPTIONS =
      List.of(
          Option.value(
              "sandbox", "MODE", "namespace (default), chroot, landlock (ours alone) or none"),
          Option.value(
              "seccomp",
              "ACTION",
              "for system calls of no daemon: kill (default), trap, log, none"),
          Option.value("modcaps", "LIST", "other capabilities to keep: +sys_admin:-chown"),
          Option.value("uid-map", ":NS:HOST:N:", "users in the sandbox's namespace; repeatable"),
          Option.value("gid-map", ":NS:HOST:N:", "groups in the sandbox's namespace; repeatable"),
          Option.value("rlimit-nofile", "N", "open files at most; 0: as many as are allowed"),
          Option.value("socket-group", "GROUP", "who else may connect to the socket"),
          Option.flag("supervise", "let another daemon go on when this one dies"),
          Option.flag("syslog", "tell the system's log, not standard error"),
          Option.value("log-level", "LEVEL", "off, error, warn, info (default), debug or trace"));

  SandboxMode mode = SandboxMode.NAMESPACE;
  private Seccomp.@Nullable Action seccomp = Seccomp.Action.KILL;
  private @Nullable String modcaps;
  HandleMode handles = HandleMode.NEVER;
  private final List<IdMapping> users = new ArrayList<>();
  private final List<IdMapping> groups = new ArrayList<>();
  private int openFiles = -1;
  private @Nullable String socketGroup;
  private boolean syslog;

  /** Whether another daemon goes on when this one dies. */
  boolean supervise;

  private LogLevel level = LogLevel.INFO;

  /** How much is said. */
  enum LogLevel {
    OFF,
    ERROR,
    WARN,
    INFO,
    DEBUG,
    TRACE
  }

  /** Takes an option if it is one of these. */
  boolean take(Getopt line) {
    String value = line.value();
    switch (line.key()) {
      case "sandbox" -> mode = one("--sandbox", SandboxMode.values(), value);
      case "seccomp" ->
          seccomp = value.equals("none") ? null : one("--seccomp", Seccomp.Action.values(), value);
      case "modcaps" -> modcaps = value;
      case "uid-map" -> users.add(FsLine.said("--uid-map", value, IdMapping::parse));
      case "gid-map" -> groups.add(FsLine.said("--gid-map", value, IdMapping::parse));
      case "rlimit-nofile" ->
          openFiles = BackEndLine.number("--rlimit-nofile", value, Integer.MAX_VALUE);
      case "socket-group" -> socketGroup = value;
      case "supervise" -> supervise = true;
      case "syslog" -> syslog = true;
      case "log-level" -> level = one("--log-level", LogLevel.values(), value);
      case "d" -> level = LogLevel.DEBUG;
      default -> {
        return false;
      }
    }
    return true;
  }

  /** The constant that a text names. */
  static <E extends Enum<E>> E one(String option, E[] all, String text) {
    var names = new ArrayList<String>();
    for (E each : all) {
      String name = each.name().toLowerCase(Locale.ROOT);
      if (name.equals(text)) {
        return each;
      }
      names.add(name);
    }
    throw new UsageFault(
        "%s: '%s' is none of %s".formatted(option, text, String.join(", ", names)));
  }

  static HandleMode handles(String text) {
    // "fallback" is what it was called before, as virtiofsd says.
    return text.equals("fallback")
        ? HandleMode.PREFER
        : one("--inode-file-handles", HandleMode.values(), text);
  }

  Sandbox sandbox() {
    boolean byHandle = handles != HandleMode.NEVER;
    if (byHandle && mode == SandboxMode.LANDLOCK) {
      throw new UsageFault(
          "--inode-file-handles cannot go with --sandbox=landlock: what is opened by a handle may"
              + " have no path that Landlock could judge");
    }
    long capabilities = Sandbox.capabilities(modcaps, byHandle);
    return new Sandbox(mode, seccomp, capabilities, byHandle, users, groups);
  }

  @Nullable String socketGroup() {
    return socketGroup;
  }

  /** Where what goes wrong is said. */
  Consumer<String> log(Terminal io) {
    if (syslog) {
      SystemLog.open("virtiofsd");
    }
    return level == LogLevel.OFF ? _ -> {} : line -> say(SystemLog.Priority.WARNING, line, io);
  }

  /** Says what is as it should be, if that is wanted. */
  void inform(String line, Terminal io) {
    if (level.compareTo(LogLevel.INFO) >= 0) {
      say(SystemLog.Priority.INFO, line, io);
    }
  }

  private void say(SystemLog.Priority priority, String line, Terminal io) {
    if (syslog) {
      SystemLog.write(priority, line);
    } else {
      io.error("virtiofsd: " + line);
    }
  }

  /** Sets how many files may be open, for this process and what it becomes. */
  void limitOpenFiles() {
    if (openFiles == 0) {
      return;
    }
    if (openFiles > 0 && openFiles < OPEN_FILES_MIN) {
      throw new UsageFault(
          "Maximum number of file descriptors too small: Limit is %d, must be at least %d"
              .formatted(openFiles, OPEN_FILES_MIN));
    }
    long result = ProcessCalls.limitOpenFiles(openFiles < 0 ? OPEN_FILES_MAX : openFiles);
    if (openFiles > 0 && result < 0) {
      throw new UsageFault("Error increasing number of open files: " + Result.errno(result).text());
    }
    if (result < 0) {
      // Nobody asked for more than there is.
      long _ = ProcessCalls.limitOpenFiles(ProcessCalls.openFilesMax());
    }
  }
}
