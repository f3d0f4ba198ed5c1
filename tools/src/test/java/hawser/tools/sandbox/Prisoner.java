package hawser.tools.sandbox;

import hawser.sys.FileCalls;
import hawser.sys.NamespaceCalls;
import hawser.sys.PathCalls;
import hawser.sys.Seccomp;
import hawser.sys.SocketAddress;
import hawser.sys.SocketCalls;
import hawser.sys.Spawn;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;

/**
 * A program that goes into a sandbox and tries to get out of it: {@code MODE SECCOMP FOLDER
 * ATTEMPT...}. On a thread as those that serve, it prints an attempt's name and its result.
 */
final class Prisoner {
  private static final int AF_INET_ANY = 0;

  private Prisoner() {}

  public static void main(String[] args) throws Exception {
    Seccomp.Action action = args[1].equals("none") ? null : Seccomp.Action.valueOf(args[1]);
    var sandbox =
        new Sandbox(
            SandboxMode.valueOf(args[0]),
            action,
            Capability.FOR_FILES,
            false,
            List.of(),
            List.of());
    Path share = Path.of(args[2]);
    OptionalInt ended = sandbox.launch(share, -1, List.of());
    if (ended.isPresent()) {
      System.exit(ended.getAsInt());
    }
    List<String> attempts = List.of(args).subList(3, args.length);
    loadClasses();
    // What ends a process is tried only afterwards.
    for (String each : attempts) {
      if (!each.equals("execute")) {
        long _ = attempt(each);
      }
    }
    System.out.println(line("before", attempt("read /etc/passwd")));
    System.out.println(sandbox.enter(share).inForce());
    Thread thread =
        Thread.ofPlatform()
            .start(
                () -> {
                  for (String each : attempts) {
                    System.out.println(line(each, attempt(each)));
                  }
                });
    thread.join();
  }

  /** A folder of classes, unlike the archives that a daemon has, is out of reach afterwards. */
  private static void loadClasses() throws Exception {
    var classes = Sandbox.class.getProtectionDomain().getCodeSource().getLocation().toURI();
    Path folder = Path.of(classes).resolve("hawser/tools/sandbox");
    for (String file : Objects.requireNonNull(folder.toFile().list())) {
      Class.forName("hawser.tools.sandbox." + file.replace(".class", ""));
    }
  }

  private static String line(String name, long result) {
    return name + ": " + (result < 0 ? String.valueOf(result) : "done");
  }

  private static long attempt(String what) {
    String[] words = what.split(" ", -1);
    return switch (words[0]) {
      case "read" -> closed(FileCalls.open(words[1], FileCalls.O_RDONLY, 0));
      case "write" ->
          closed(FileCalls.open(words[1], FileCalls.O_WRONLY | FileCalls.O_CREAT, 0600));
      case "reopen" -> reopened(words[1]);
      case "internet" -> closed(SocketCalls.socket(anywhere()));
      case "chroot" -> NamespaceCalls.chroot("/");
      case "mounts" -> NamespaceCalls.unshare(NamespaceCalls.CLONE_NEWNS);
      case "execute" -> Spawn.become("/bin/true", List.of("true"), List.of());
      default -> throw new IllegalArgumentException(what);
    };
  }

  /** By the way through the descriptor of something that may be found but not read. */
  private static long reopened(String path) {
    long found = FileCalls.open(path, FileCalls.O_PATH, 0);
    if (found < 0) {
      return found;
    }
    String name = new String(PathCalls.ofDescriptor((int) found), StandardCharsets.US_ASCII);
    long result = closed(FileCalls.open(name, FileCalls.O_RDONLY, 0));
    FileCalls.close((int) found);
    return result;
  }

  private static SocketAddress anywhere() {
    return new SocketAddress.Tcp(java.net.InetAddress.getLoopbackAddress(), AF_INET_ANY);
  }

  private static long closed(long fd) {
    return fd < 0 ? fd : FileCalls.close((int) fd);
  }
}
