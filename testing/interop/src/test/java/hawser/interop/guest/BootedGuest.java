package hawser.interop.guest;

import hawser.base.BlockFault;
import hawser.testkit.Side;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The state of a guest that has booted, in a file: booting takes most of a short test's time, so
 * one guest boots for all tests of a run.
 */
final class BootedGuest {
  private static @Nullable Path saved;

  private BootedGuest() {}

  /** Where the state is. Skips the test where there is no QEMU or kernel. */
  static synchronized Path state() throws IOException, BlockFault {
    if (saved == null) {
      Path folder = Side.ROOT.resolve("testing/interop/target/guest/booted");
      try (Machine guest = Machine.boot(folder)) {
        guest.tellOfMigrations(false);
        Path state = folder.resolve("state");
        String end = guest.travel("migrate", "file:" + state);
        if (!end.equals("completed")) {
          throw new AssertionError("saving a booted guest: " + end + "\n" + guest.qemu().err());
        }
        saved = state;
      }
    }
    return saved;
  }
}
