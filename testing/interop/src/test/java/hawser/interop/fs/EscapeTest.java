package hawser.interop.fs;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.fuse.Answer;
import hawser.testkit.fuse.Change;
import hawser.testkit.fuse.FuseClient;
import hawser.testkit.fuse.FuseOperations;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * While somebody swaps folders of a share with links that lead out of it, a guest does whatever it
 * can by the names of what lies outside: nothing there is read or touched.
 */
class EscapeTest {
  private static final long ROOT = FuseOperations.ROOT_NODE;
  private static final String SECRET = "nobody's business";
  private static final int STEPS = 20_000;
  private static final int O_RDWR = 2;

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(longs = {1, 2})
  void nothingOutsideIsReached(long seed) throws Exception {
    Path outside = Files.createDirectories(folder.resolve("outside/below")).getParent();
    Files.writeString(outside.resolve("secret"), SECRET);
    Files.writeString(outside.resolve("below/secret"), SECRET);
    String before = tree(outside);
    Path shared = Files.createDirectories(folder.resolve("shared"));
    Files.createDirectories(shared.resolve("door/below"));
    Files.writeString(shared.resolve("door/secret"), "the guest's");
    Files.createSymbolicLink(shared.resolve("link"), outside);
    Path socket = folder.resolve("socket");
    var done = new AtomicBoolean();
    try (Peer peer = FsBackEnd.HAWSER.serve(shared, socket, "--xattr", "--log-level=warn");
        FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations guest = client.operations();
      guest.init().ok();
      var attempts = new Attempts(guest, new Random(seed));
      var swapper = CompletableFuture.runAsync(() -> swap(shared, done));
      try {
        for (int step = 0; step < STEPS; step++) {
          attempts.next();
        }
        assertThat(attempts.inside).as("some attempts hit the share itself").isPositive();
      } finally {
        done.set(true);
        swapper.join();
      }
      assertThat(peer.err()).isEmpty();
    }
    assertThat(tree(outside)).isEqualTo(before);
  }

  /** The folder and the link change places for as long as the guest works. */
  private static void swap(Path shared, AtomicBoolean done) {
    try {
      while (!done.get()) {
        Files.move(shared.resolve("door"), shared.resolve("aside"));
        Files.move(shared.resolve("link"), shared.resolve("door"));
        Files.move(shared.resolve("door"), shared.resolve("link"));
        Files.move(shared.resolve("aside"), shared.resolve("door"));
      }
    } catch (IOException e) {
      throw new AssertionError("nobody else moves these", e);
    }
  }

  private static String tree(Path outside) {
    String script =
        "cd \"$1\" && find . -printf '%p|%y|%m|%U:%G|%n|%T@|%C@\\n' | sort && md5sum secret";
    return Peers.run("sh", "-c", script, "sh", outside.toString()).ok().out();
  }

  /** What a guest tries. */
  private static final class Attempts {
    private static final String[] NAMES = {"secret", "below", "made", "..", "door"};

    private final FuseOperations guest;
    private final Random dice;
    private long door;
    long inside;

    Attempts(FuseOperations guest, Random dice) {
      this.guest = guest;
      this.dice = dice;
      this.door = guest.lookup(ROOT, "door").ok().entry().node();
    }

    void next() {
      String name = NAMES[dice.nextInt(NAMES.length)];
      switch (dice.nextInt(10)) {
        case 0, 1 -> {
          Answer found = guest.lookup(ROOT, dice.nextBoolean() ? "door" : "link");
          if (found.error() == 0) {
            door = found.entry().node();
          }
        }
        case 2 -> read(guest.lookup(door, name));
        case 3 -> guest.create(door, name, O_RDWR, 0666, 0);
        case 4 -> guest.mkdir(door, name, 0777, 0);
        case 5 -> guest.rename(door, name, ROOT, "stolen");
        case 6 -> guest.unlink(door, "made");
        case 7 -> guest.rmdir(door, "made");
        case 8 -> {
          Answer found = guest.lookup(door, name);
          if (found.error() == 0 && !name.equals("..")) {
            guest.setattr(found.entry().node(), Change.mode(0600));
            guest.link(found.entry().node(), ROOT, "linked");
          }
        }
        default -> guest.symlink(door, "made", "/etc/passwd");
      }
    }

    private void read(Answer found) {
      if (found.error() != 0) {
        return;
      }
      long node = found.entry().node();
      Answer opened = guest.open(node, 0);
      if (opened.error() == 0) {
        long handle = opened.opened().handle();
        Answer content = guest.read(node, handle, 0, 100);
        if (content.error() == 0) {
          assertThat(new String(content.data(), StandardCharsets.UTF_8)).isNotEqualTo(SECRET);
          inside++;
        }
        guest.release(node, handle);
      }
    }
  }
}
