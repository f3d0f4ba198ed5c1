package hawser.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/**
 * The programs of others that tests run against, found on PATH. {@code testing/peers.txt} lists
 * them with the packages they come from.
 */
public final class Peers {
  private Peers() {}

  /** Skips the running test, by name, when one of the programs is not on this machine. */
  public static void requires(String... commands) {
    for (String command : commands) {
      Assumptions.assumeTrue(find(command).isPresent(), "needs " + command);
    }
  }

  /** Where a program is. */
  public static Optional<Path> find(String command) {
    for (String folder : System.getenv().getOrDefault("PATH", "").split(":", -1)) {
      Path candidate = Path.of(folder, command);
      if (Files.isExecutable(candidate)) {
        return Optional.of(candidate);
      }
    }
    return Optional.empty();
  }

  /** Runs a program to its end, with an empty standard input. */
  public static Ran run(String... command) {
    return run(List.of(command));
  }

  /** Runs a program to its end, with an empty standard input. */
  public static Ran run(List<String> command) {
    try (Peer peer = start(command)) {
      int code = peer.await();
      return new Ran(command, code, peer.out(), peer.err());
    }
  }

  /** Starts a program that goes on; the caller closes it. */
  public static Peer start(String... command) {
    return start(List.of(command));
  }

  /** Starts a program that goes on; the caller closes it. */
  public static Peer start(List<String> command) {
    try {
      return new Peer(new ProcessBuilder(command));
    } catch (IOException e) {
      throw new UncheckedIOException("starting " + command, e);
    }
  }
}
