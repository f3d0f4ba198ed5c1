package hawser.interop.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.testkit.Peers;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ranges that were reserved in one order and written in another. */
class ReserveTest {
  private static final int CHUNK = 192 << 10;
  private static final int CHUNKS = 24;

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cluster_size=64k",
        "cluster_size=4k",
        "cluster_size=64k,lazy_refcounts=on",
        "cluster_size=16k,extended_l2=on",
        "cluster_size=512,refcount_bits=64"
      })
  void clustersLieAsTheyWereReserved(String options) throws Exception {
    Peers.requires("qemu-img");
    Path image = folder.resolve("disk.qcow2");
    String size = Long.toString((long) CHUNKS * CHUNK);
    Peers.run("qemu-img", "create", "-q", "-f", "qcow2", "-o", options, image.toString(), size)
        .ok();
    List<Integer> reserved = shuffled(1);
    long[] places = new long[CHUNKS];
    try (BlockNode node = Workbench.open(image, OpenMode.WRITE)) {
      writeAfterReserving(node, reserved);
      for (int chunk : reserved) {
        places[chunk] = node.extent((long) chunk * CHUNK, CHUNK).hostOffset();
      }
    }
    assertThat(reserved.stream().map(chunk -> places[chunk]).toList()).isSorted();
    compare(image, "qcow2");
    Peers.run("qemu-img", "check", image.toString()).ok();
  }

  @Test
  void aRawFileNeedsNoPlaces() throws Exception {
    Peers.requires("qemu-img");
    Path image = folder.resolve("disk.raw");
    try (var file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength((long) CHUNKS * CHUNK);
    }
    try (BlockNode node =
        new Opener(OpenPolicy.NOTHING).open(image.toString(), "raw", OpenMode.WRITE)) {
      writeAfterReserving(node, shuffled(1));
    }
    compare(image, "raw");
  }

  private static List<Integer> shuffled(long seed) {
    var chunks = new ArrayList<Integer>();
    for (int i = 0; i < CHUNKS; i++) {
      chunks.add(i);
    }
    Collections.shuffle(chunks, new Random(seed));
    return chunks;
  }

  private static void writeAfterReserving(BlockNode node, List<Integer> order) throws Exception {
    for (int chunk : order) {
      assertThat(node.reserve((long) chunk * CHUNK, CHUNK)).isTrue();
    }
    try (var arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(CHUNK, 4096);
      for (int chunk : shuffled(2)) {
        node.write(data.fill((byte) (chunk + 1)), (long) chunk * CHUNK, 0);
      }
    }
  }

  private void compare(Path image, String format) throws Exception {
    Path expected = folder.resolve("expected.raw");
    try (var file = new RandomAccessFile(expected.toFile(), "rw")) {
      byte[] chunk = new byte[CHUNK];
      for (int i = 0; i < CHUNKS; i++) {
        Arrays.fill(chunk, (byte) (i + 1));
        file.write(chunk);
      }
    }
    Peers.run(
            "qemu-img", "compare", "-f", format, "-F", "raw", image.toString(), expected.toString())
        .ok();
  }
}
