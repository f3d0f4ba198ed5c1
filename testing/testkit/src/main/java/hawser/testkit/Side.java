package hawser.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Whose program a test runs: QEMU's, or Hawser's that stands in for it. A test with this as its
 * parameter ({@code @EnumSource}) judges both by the same assertions.
 */
public enum Side {
  /** The program on PATH. */
  QEMU,
  /** Ours, as a process of its own, as {@code ./hawser} starts it. */
  HAWSER;

  /** The repository's root; the build sets it. */
  public static final Path ROOT =
      Path.of(System.getProperty("hawser.root", "../..")).toAbsolutePath().normalize();

  /**
   * A command line. {@code program} is the original's name, {@code qemu-img}; a test that runs
   * QEMU's is skipped when that is not on this machine.
   */
  public List<String> command(String program, String... arguments) {
    var command = new ArrayList<String>();
    switch (this) {
      case QEMU -> {
        Peers.requires(program);
        command.add(program);
      }
      case HAWSER -> {
        // Whoever runs the tests in the background lets them inherit an ignored SIGINT.
        command.addAll(List.of("/usr/bin/env", "--default-signal=INT"));
        command.addAll(List.of("JAVA=" + java(), "MODULES=" + modules()));
        command.add("START=" + StartCache.flag(java(), modules()));
        command.addAll(List.of("/bin/sh", ROOT.resolve("dist/launch.sh").toString(), program));
      }
    }
    command.addAll(List.of(arguments));
    return command;
  }

  /** Runs the program to its end. */
  public Ran run(String program, String... arguments) {
    return Peers.run(command(program, arguments));
  }

  /** Starts the program; the caller closes it. */
  public Peer start(String program, String... arguments) {
    return Peers.start(command(program, arguments));
  }

  /** Starts the program in a folder; the caller closes it. */
  public Peer startIn(Path folder, String program, String... arguments) {
    try {
      return new Peer(new ProcessBuilder(command(program, arguments)).directory(folder.toFile()));
    } catch (IOException e) {
      throw new UncheckedIOException("starting " + program, e);
    }
  }

  private static Path java() {
    return Path.of(System.getProperty("java.home"), "bin", "java");
  }

  private static Path modules() {
    return ROOT.resolve("tools/target/modules");
  }
}
