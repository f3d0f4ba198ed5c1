package hawser.interop.fs;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.fuse.FuseClient;
import hawser.testkit.fuse.FuseOperations;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Whatever a guest does to a share is what system calls would have done: random sequences of all
 * operations, from a seed, done to a share and to a twin of it. Errors, contents, attributes and
 * the final trees are compared.
 */
class OperationsTest {
  private static final int STEPS = 4000;
  private static final int KILLS = 4;

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "VIRTIOFSD, 1, never",
    "HAWSER, 1, never",
    "HAWSER, 2, never",
    "HAWSER, 3, never",
    "HAWSER, 4, mandatory"
  })
  void aShareIsWhatSystemCallsMakeOfItsTwin(FsBackEnd daemon, long seed, String handles)
      throws Exception {
    Path shared = Files.createDirectory(folder.resolve("shared"));
    Path twin = Files.createDirectory(folder.resolve("twin"));
    Path socket = folder.resolve("socket");
    String[] options = {"--xattr", "--log-level=warn", "--inode-file-handles=" + handles};
    try (Peer peer = daemon.serve(shared, socket, options);
        FuseClient client = FuseClient.connect(socket, 1);
        var thread = Executors.newSingleThreadExecutor()) {
      FuseOperations fuse = client.operations();
      boolean all = daemon == FsBackEnd.HAWSER;
      thread.submit(() -> run(fuse, twin, seed, all, new AtomicInteger())).get();
      if (daemon == FsBackEnd.HAWSER) {
        assertThat(peer.err()).isEmpty();
      }
    }
    assertThat(tree(shared)).isEqualTo(tree(twin)).contains("|f|");
  }

  /** A daemon that is killed at any time is succeeded by one that does nothing twice. */
  @ParameterizedTest
  @CsvSource({"namespace, 5, prefer", "none, 6, never"})
  void soItIsWhenTheDaemonIsKilled(String sandbox, long seed, String handles) throws Exception {
    Path shared = Files.createDirectory(folder.resolve("shared"));
    Path twin = Files.createDirectory(folder.resolve("twin"));
    Path socket = folder.resolve("socket");
    String[] options = {
      "--xattr",
      "--log-level=warn",
      "--supervise",
      "--sandbox=" + sandbox,
      "--inode-file-handles=" + handles
    };
    try (Peer peer = FsBackEnd.HAWSER.serve(shared, socket, options);
        FuseClient client = FuseClient.connect(socket, 1);
        var thread = Executors.newSingleThreadExecutor()) {
      FuseOperations fuse = client.operations();
      var steps = new AtomicInteger();
      var done = thread.submit(() -> run(fuse, twin, seed, true, steps));
      for (int kills = 1; kills <= KILLS; kills++) {
        int wanted = kills * STEPS / (KILLS + 1);
        peer.await("at step " + wanted, () -> steps.get() >= wanted || done.isDone());
        FsBackEnd.serving(peer).destroyForcibly();
        long served = kills;
        peer.await("succeeded", () -> peer.err().lines().count() >= served);
      }
      done.get();
      assertThat(peer.err().lines())
          .hasSize(KILLS)
          .allMatch(line -> line.matches(".*died \\(signal 9\\); after \\d+ ms another one .*"));
    }
    assertThat(tree(shared)).isEqualTo(tree(twin)).contains("|f|");
  }

  private static void run(
      FuseOperations fuse, Path twin, long seed, boolean all, AtomicInteger done) {
    try (Twins twins = new Twins(fuse, twin, seed);
        TwinFiles files = new TwinFiles(twins, all)) {
      var names = new TwinNames(twins);
      for (int step = 0; step < STEPS; step = done.incrementAndGet()) {
        switch (twins.dice.nextInt(24)) {
          case 0, 1, 2 -> names.makeOne();
          case 3 -> names.removeOne();
          case 4, 5 -> names.rename();
          case 6 -> names.link();
          case 7 -> names.readlink();
          case 8 -> names.status();
          case 9, 10 -> names.change();
          case 11, 12 -> names.attribute();
          case 13, 14 -> names.lookup();
          case 15 -> names.forget();
          case 16 -> files.open();
          case 17 -> files.create();
          case 18 -> files.list();
          case 19 -> files.tmpfile();
          default -> files.work();
        }
      }
    }
  }

  /** Everything below a folder: names, types, permissions, owners, links, sizes, contents. */
  private static String tree(Path folder) {
    String script =
        "cd \"$1\" && LC_ALL=C find . -printf '%p|%y|%m|%U:%G|%n|%l\\n' | LC_ALL=C sort"
            + " && find . -type f -exec md5sum {} + | LC_ALL=C sort";
    return Peers.run("sh", "-c", script, "sh", folder.toString()).ok().out();
  }
}
