package hawser.fuzz.escape;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Side;
import hawser.testkit.fuse.EscapeAttempts;
import hawser.testkit.fuse.FuseClient;
import hawser.testkit.fuse.FuseOperations;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * Lets a guest try to get out of the share of a daemon that has no sandbox, while links and folders
 * are swapped: {@code SEED SECONDS}. Every ten seconds it looks whether anything outside was
 * touched, and goes on with the next seed.
 */
public final class EscapeExplorer {
  private static final long LOOK_SECONDS = 10;

  private EscapeExplorer() {}

  /** Ends with 0 when nothing outside was reached. */
  public static void main(String[] args) throws Exception {
    long seed = Long.parseLong(args[0]);
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Long.parseLong(args[1]));
    Path folder = Files.createTempDirectory("hawser-escape");
    EscapeAttempts attempts = EscapeAttempts.in(folder);
    Path socket = folder.resolve("socket");
    try (Peer daemon =
        Side.HAWSER
            .start(
                "virtiofsd",
                "--xattr",
                "--sandbox=none",
                "--socket-path=" + socket,
                "--shared-dir=" + attempts.shared())
            .awaitSocket(socket)) {
      try (FuseClient client = FuseClient.connect(socket, 1)) {
        FuseOperations guest = client.operations();
        guest.init().ok();
        while (System.nanoTime() - end < 0) {
          long look =
              Math.min(end - System.nanoTime(), TimeUnit.SECONDS.toNanos(LOOK_SECONDS))
                  + System.nanoTime();
          long inside = attempts.run(guest, seed, () -> System.nanoTime() - look < 0);
          System.out.printf("seed %d: %d files of the share itself were read%n", seed, inside);
          seed++;
          if (!daemon.process().isAlive()) {
            throw new AssertionError("the daemon has ended: " + daemon.err());
          }
        }
      }
    } finally {
      Peers.run("rm", "-r", folder.toString()).ok();
    }
  }
}
