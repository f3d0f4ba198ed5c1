package hawser.interop.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.ZeroBytes;
import hawser.testkit.Peers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The same random work done by us and by qemu-io, on images of every shape. */
class WriteMatrixTest {
  private static final long SEED = Long.getLong("hawser.seed", 20261122);
  private static final int ROUNDS = 3;
  private static final int STEPS = 30;

  @TempDir Path folder;

  static List<Shape> shapes() {
    return Shape.sample(SEED + 1, 28);
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void writesWhatQemuWouldWrite(Shape shape) throws Exception {
    Peers.requires("qemu-img", "qemu-io");
    System.out.println("seed " + SEED + " " + shape);
    var bench = new Workbench(folder, SEED + shape.hashCode());
    long size = shape.clusterBytes() == 512 ? 1_000_448 : 6 * 1024 * 1024 + 512;
    Path ours = bench.create("ours.qcow2", shape, size);
    Path theirs = bench.path("theirs.raw");
    Peers.run("qemu-img", "convert", "-O", "raw", ours.toString(), theirs.toString()).ok();
    for (int round = 0; round < ROUNDS; round++) {
      work(ours, theirs, size, shape, bench.dice());
      assertThat(Peers.run("qemu-img", "check", "-f", "qcow2", ours.toString()).all())
          .contains("No errors were found on the image.");
      Peers.run("qemu-img", "compare", ours.toString(), theirs.toString()).ok();
      bench.assertReadsAsQemuSays(ours);
    }
  }

  /** A stretch of random requests, between opening and closing. */
  private static void work(Path ours, Path theirs, long size, Shape shape, Random dice)
      throws Exception {
    var command = new ArrayList<>(List.of("qemu-io", "-f", "raw", "-d", "unmap"));
    try (var arena = Arena.ofConfined();
        BlockNode node = Workbench.open(ours, OpenMode.WRITE.withUnmap(true))) {
      for (int step = 0; step < STEPS; step++) {
        long offset = dice.nextLong(size / 512) * 512;
        long length = Math.min(size - offset, 512L * (1 + dice.nextInt(400)));
        int pattern = 1 + dice.nextInt(254);
        switch (dice.nextInt(7)) {
          case 0 -> {
            node.writeZeroes(offset, length, dice.nextBoolean() ? BlockNode.MAY_UNMAP : 0);
            command.addAll(List.of("-c", "write -z %d %d".formatted(offset, length)));
          }
          case 1 -> discard(node, offset, length, command);
          case 2 -> node.flush();
          case 3 -> {
            if (shape.compressible()) {
              compress(node, arena, offset, shape.clusterBytes(), command, dice);
            }
          }
          default -> {
            MemorySegment data = arena.allocate(length).fill((byte) pattern);
            if (!node.writeNow(data, offset, 0)) {
              node.write(data, offset, 0);
            }
            command.addAll(List.of("-c", "write -P %d %d %d".formatted(pattern, offset, length)));
          }
        }
      }
    }
    command.add(theirs.toString());
    Peers.run(command).ok();
  }

  /** What a discard leaves is not said: the raw disk gets what we read afterwards, if zeroes. */
  private static void discard(BlockNode node, long offset, long length, List<String> command)
      throws Exception {
    node.discard(offset, length);
    try (var arena = Arena.ofConfined()) {
      long at = offset;
      while (at < offset + length) {
        long step = Math.min(offset + length, (at & -512) + 512) - at;
        MemorySegment piece = arena.allocate(step);
        node.read(piece, at);
        if (ZeroBytes.only(piece)) {
          command.addAll(List.of("-c", "write -z %d %d".formatted(at, step)));
        }
        at += step;
      }
    }
  }

  private static void compress(
      BlockNode node, Arena arena, long near, int cluster, List<String> command, Random dice)
      throws Exception {
    long offset = near & -cluster;
    long length = Math.min(cluster, node.length() - offset);
    if (node.extent(offset, length).kind().allocated()
        || node.extent(offset, length).length() < length) {
      return;
    }
    int pattern = 1 + dice.nextInt(254);
    MemorySegment data = arena.allocate(length).fill((byte) pattern);
    node.write(data, offset, BlockNode.COMPRESSED);
    command.addAll(List.of("-c", "write -P %d %d %d".formatted(pattern, offset, length)));
  }
}
