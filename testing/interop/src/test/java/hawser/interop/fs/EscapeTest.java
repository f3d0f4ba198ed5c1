package hawser.interop.fs;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.fuse.EscapeAttempts;
import hawser.testkit.fuse.FuseClient;
import hawser.testkit.fuse.FuseOperations;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A guest tries to get out of its share ({@link EscapeAttempts}); {@code fuzz escape} goes on. */
class EscapeTest {
  private static final int STEPS = 20_000;

  @TempDir Path folder;

  /** Without a sandbox only the daemon's own care keeps it inside. */
  @ParameterizedTest
  @CsvSource({"1, none", "2, none", "3, namespace"})
  void nothingOutsideIsReached(long seed, String sandbox) throws Exception {
    EscapeAttempts attempts = EscapeAttempts.in(folder);
    Path socket = folder.resolve("socket");
    try (Peer peer =
            FsBackEnd.HAWSER.serve(
                attempts.shared(), socket, "--xattr", "--log-level=warn", "--sandbox=" + sandbox);
        FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations guest = client.operations();
      guest.init().ok();
      var steps = new AtomicInteger(STEPS);
      long inside = attempts.run(guest, seed, () -> steps.decrementAndGet() >= 0);
      assertThat(inside).as("some attempts hit the share itself").isPositive();
      assertThat(peer.err()).isEmpty();
    }
  }
}
