package hawser.testkit.fuse;

import hawser.testkit.Peers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;

/**
 * While somebody swaps folders of a share with links that lead out of it, a guest does whatever it
 * can by the names of what lies outside: nothing there may be read or touched.
 */
public final class EscapeAttempts {
  private static final long ROOT = FuseOperations.ROOT_NODE;
  private static final String SECRET = "nobody's business";
  private static final int O_RDWR = 2;
  private static final String[] NAMES = {"secret", "below", "made", "..", "door"};

  private final Path outside;
  private final Path shared;

  private EscapeAttempts(Path outside, Path shared) {
    this.outside = outside;
    this.shared = shared;
  }

  /** Makes what is shared, and beside it what is not, in an empty folder. */
  public static EscapeAttempts in(Path folder) throws IOException {
    Path outside = Files.createDirectory(folder.resolve("outside"));
    Files.createDirectory(outside.resolve("below"));
    Files.writeString(outside.resolve("secret"), SECRET);
    Files.writeString(outside.resolve("below/secret"), SECRET);
    Path shared = Files.createDirectory(folder.resolve("shared"));
    Files.createDirectories(shared.resolve("door/below"));
    Files.writeString(shared.resolve("door/secret"), "the guest's");
    Files.createSymbolicLink(shared.resolve("link"), outside);
    return new EscapeAttempts(outside, shared);
  }

  /** The folder to share. */
  public Path shared() {
    return shared;
  }

  /**
   * Tries for as long as somebody wants.
   *
   * @param goOn asked before each attempt
   * @return how many files of the share itself were read, so that one sees that it was tried
   * @throws AssertionError when something outside was read or touched
   */
  public long run(FuseOperations guest, long seed, BooleanSupplier goOn) {
    String before = tree();
    var done = new AtomicBoolean();
    var guests = new Guest(guest, new Random(seed));
    var swapper = CompletableFuture.runAsync(() -> swap(done));
    try {
      while (goOn.getAsBoolean()) {
        guests.attempt();
      }
    } finally {
      done.set(true);
      swapper.join();
    }
    String after = tree();
    if (!after.equals(before)) {
      throw new AssertionError(
          "seed %d: outside the share was\n%s\nand is\n%s".formatted(seed, before, after));
    }
    return guests.inside;
  }

  /** The folder and the link change places for as long as the guest works. */
  private void swap(AtomicBoolean done) {
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

  private String tree() {
    String script =
        "cd \"$1\" && find . -printf '%p|%y|%m|%U:%G|%n|%T@|%C@\\n' | sort && md5sum secret";
    return Peers.run("sh", "-c", script, "sh", outside.toString()).ok().out();
  }

  /** What a guest tries. */
  private static final class Guest {
    private final FuseOperations guest;
    private final Random dice;
    private long door;
    private long inside;

    Guest(FuseOperations guest, Random dice) {
      this.guest = guest;
      this.dice = dice;
      this.door = guest.lookup(ROOT, "door").ok().entry().node();
    }

    void attempt() {
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
          if (new String(content.data(), StandardCharsets.UTF_8).equals(SECRET)) {
            throw new AssertionError("what lies outside was read");
          }
          inside++;
        }
        guest.release(node, handle);
      }
    }
  }
}
