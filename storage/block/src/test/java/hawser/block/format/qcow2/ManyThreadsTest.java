package hawser.block.format.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.base.json.Json;
import hawser.block.BlockNode;
import hawser.block.CheckReport;
import hawser.block.CreateOptions;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.block.Options;
import hawser.block.format.qcow2.check.CheckLimits;
import hawser.block.format.qcow2.check.Qcow2Check;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Threads that write, zero, discard, compress and flush in the same clusters, each in sectors of
 * its own: every thread must find what it wrote, and the image must be consistent at the end.
 */
class ManyThreadsTest {
  private static final int THREADS = 6;
  private static final int SECTOR = 512;
  private static final int SECTORS = 3000;
  private static final int REQUESTS = 700;
  private static final long SEED = Long.getLong("hawser.seed", 77);

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cluster_size=4096",
        "cluster_size=65536",
        "cluster_size=512,refcount_bits=64",
        "cluster_size=16384,extended_l2=on",
        "cluster_size=4096,lazy_refcounts=on",
        "cluster_size=4096,compat=0.10"
      })
  void eachFindsWhatItWrote(String shape) throws Exception {
    System.out.println("seed " + SEED);
    Opener opener = new Opener(OpenPolicy.ANYTHING);
    String name = folder.resolve("disk.qcow2").toString();
    var driver = opener.driver("qcow2").orElseThrow();
    var options = new CreateOptions(driver.createOptions(), List.of());
    options.parse(shape);
    options.set("size", Integer.toString(SECTORS * SECTOR));
    driver.create(name, options, opener);
    var runtime = new Options().put("l2-cache-size", Json.of(4096));
    try (BlockNode node = opener.open(name, "qcow2", runtime, OpenMode.WRITE.withUnmap(true));
        var pool = Executors.newFixedThreadPool(THREADS)) {
      var running = new ArrayList<Future<?>>();
      for (int i = 0; i < THREADS; i++) {
        int mine = i;
        running.add(
            pool.submit(
                () -> {
                  work(node, mine);
                  return null;
                }));
      }
      for (Future<?> one : running) {
        one.get();
      }
    }
    try (BlockNode file = opener.openProtocol(name, OpenMode.READ)) {
      CheckReport report =
          Qcow2Check.run(file, text -> System.out.println(text), CheckLimits.standard());
      assertThat(report.corruptions()).isZero();
      assertThat(report.leaks()).isZero();
    }
  }

  /** Only sectors whose number leaves {@code mine} belong to this thread. */
  private static void work(BlockNode node, int mine) throws Exception {
    var dice = new Random(SEED + mine);
    byte[] expected = new byte[SECTORS];
    try (var arena = Arena.ofConfined()) {
      MemorySegment sector = arena.allocate(SECTOR, SECTOR);
      for (int i = 0; i < REQUESTS; i++) {
        int at = dice.nextInt(SECTORS / THREADS) * THREADS + mine;
        long offset = (long) at * SECTOR;
        switch (dice.nextInt(10)) {
          case 0 -> {
            node.writeZeroes(offset, SECTOR, dice.nextBoolean() ? BlockNode.MAY_UNMAP : 0);
            expected[at] = 0;
          }
          case 1 -> {
            if (dice.nextInt(8) == 0) {
              node.flush();
            }
          }
          case 2, 3 -> {
            if (!node.readNow(sector, offset)) {
              node.read(sector, offset);
            }
            byte tag = expected[at];
            assertThat(sector.mismatch(arena.allocate(SECTOR).fill(tag)))
                .as("sector " + at + " of thread " + mine)
                .isEqualTo(-1);
          }
          default -> {
            expected[at] = (byte) (1 + dice.nextInt(120));
            sector.fill(expected[at]);
            if (!node.writeNow(sector, offset, 0)) {
              node.write(sector, offset, 0);
            }
          }
        }
      }
      for (int at = mine; at < SECTORS; at += THREADS) {
        node.read(sector, (long) at * SECTOR);
        assertThat(sector.mismatch(arena.allocate(SECTOR).fill(expected[at])))
            .as("sector " + at + " of thread " + mine + " at the end")
            .isEqualTo(-1);
      }
    }
  }
}
