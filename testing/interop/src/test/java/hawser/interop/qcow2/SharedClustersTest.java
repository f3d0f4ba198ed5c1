package hawser.interop.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.base.json.Json;
import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.block.Options;
import hawser.block.Preallocation;
import hawser.testkit.Peers;
import hawser.testkit.Ran;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Images in a state that QEMU left: with internal snapshots, dirty, to be made larger. */
class SharedClustersTest {
  private static final long SEED = Long.getLong("hawser.seed", 20261122);
  private static final long SIZE = 2 << 20;

  @TempDir Path folder;

  static java.util.List<Shape> shapes() {
    return Shape.sample(SEED + 2, 16).stream()
        .filter(shape -> !shape.dataFile() && !shape.options().contains("refcount_bits=1,"))
        .toList();
  }

  private static void write(BlockNode node, long offset, int bytes, int pattern) throws Exception {
    try (var arena = Arena.ofConfined()) {
      node.write(arena.allocate(bytes).fill((byte) pattern), offset, 0);
    }
  }

  private static void checkClean(Path image) {
    assertThat(Peers.run("qemu-img", "check", "-f", "qcow2", image.toString()).all())
        .contains("No errors were found on the image.");
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void snapshotsKeepTheirContent(Shape shape) throws Exception {
    Peers.requires("qemu-img", "qemu-io");
    System.out.println("seed " + SEED + " " + shape);
    var bench = new Workbench(folder, SEED + shape.hashCode());
    Path image = bench.create("image.qcow2", shape, SIZE);
    bench.fill(image, "qcow2", SIZE, false);
    String before = folder.resolve("before.raw").toString();
    Peers.run("qemu-img", "convert", "-O", "raw", image.toString(), before).ok();
    Peers.run("qemu-img", "snapshot", "-c", "first", image.toString()).ok();
    try (BlockNode node = Workbench.open(image, OpenMode.WRITE.withUnmap(true))) {
      for (int i = 0; i < 40; i++) {
        long at = bench.dice().nextLong(SIZE / 512 - 64) * 512;
        switch (bench.dice().nextInt(4)) {
          case 0 -> node.writeZeroes(at, 16384, BlockNode.MAY_UNMAP);
          case 1 -> node.discard(at, 32768);
          default -> write(node, at, 512 * (1 + bench.dice().nextInt(60)), 1 + i);
        }
      }
    }
    checkClean(image);
    bench.assertReadsAsQemuSays(image);
    var snapshot = new Options().put("snapshot", Json.of("first"));
    try (BlockNode node =
            new Opener(OpenPolicy.ANYTHING)
                .open(image.toString(), "qcow2", snapshot, OpenMode.READ);
        var arena = Arena.ofConfined()) {
      MemorySegment all = arena.allocate(SIZE);
      node.read(all, 0);
      assertThat(all.mismatch(MemorySegment.ofArray(Files.readAllBytes(Path.of(before)))))
          .isEqualTo(-1);
    }
    Peers.run("qemu-img", "snapshot", "-a", "first", image.toString()).ok();
    Peers.run("qemu-img", "snapshot", "-d", "first", image.toString()).ok();
    checkClean(image);
    Peers.run("qemu-img", "compare", image.toString(), before).ok();
  }

  @Test
  void dirtyImageGetsItsRefcountsBack() {
    Peers.requires("qemu-img", "qemu-io");
    String image = folder.resolve("dirty.qcow2").toString();
    Peers.run("qemu-img", "create", "-q", "-f", "qcow2", "-o", "lazy_refcounts=on", image, "64M")
        .ok();
    Ran killed =
        Peers.run("qemu-io", "-c", "write -P 9 1M 3M", "-c", "flush", "-c", "abort", image);
    assertThat(killed.exitCode()).isNotZero();
    assertThat(Peers.run("qemu-img", "info", image).out()).contains("dirty").contains("true");
    try (BlockNode node = Workbench.open(Path.of(image), OpenMode.WRITE)) {
      write(node, 0, 65536, 7);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
    checkClean(Path.of(image));
    Peers.run("qemu-io", "-r", "-c", "read -P 9 1M 3M", "-c", "read -P 7 0 64k", image).ok();
  }

  @ParameterizedTest
  @ValueSource(strings = {"OFF", "METADATA", "FALLOC", "FULL"})
  void growsWithRoomOfEveryKind(String preallocation) throws Exception {
    Peers.requires("qemu-img", "qemu-io");
    String image = folder.resolve("growing.qcow2").toString();
    Peers.run(
            "qemu-img", "create", "-q", "-f", "qcow2", "-o", "cluster_size=4096", image, "1000448")
        .ok();
    Peers.run("qemu-io", "-c", "write -P 5 0 1000448", image).ok();
    try (BlockNode node = Workbench.open(Path.of(image), OpenMode.WRITE)) {
      node.resize(40 << 20, Preallocation.valueOf(preallocation));
      write(node, 39 << 20, 4096, 6);
    }
    checkClean(Path.of(image));
    Ran read =
        Peers.run(
            "qemu-io",
            "-r",
            "-c",
            "read -P 5 0 1000448",
            "-c",
            "read -P 0 1000448 30M",
            "-c",
            "read -P 6 39M 4k",
            image);
    assertThat(read.ok().all()).doesNotContain("verification failed");
  }

  @Test
  void bitmapsStayTrustedWhenTheDiskIsWritten() throws Exception {
    Peers.requires("qemu-img", "qemu-io");
    String image = folder.resolve("bitmap.qcow2").toString();
    Peers.run("qemu-img", "create", "-q", "-f", "qcow2", image, "4M").ok();
    Peers.run("qemu-img", "bitmap", "--add", image, "b0").ok();
    Workbench.open(Path.of(image), OpenMode.WRITE).close();
    assertThat(Peers.run("qemu-img", "info", image).ok().out()).contains("b0");
    try (BlockNode node = Workbench.open(Path.of(image), OpenMode.WRITE)) {
      write(node, 0, 512, 1);
    }
    assertThat(Peers.run("qemu-img", "info", image).ok().all())
        .contains("b0")
        .doesNotContain("a program lacking bitmap support modified this file");
  }
}
