package hawser.interop.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.block.DirtyBitmap;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.testkit.Peers;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Bitmaps that QEMU recorded and stored, read by us. */
class StoredBitmapTest {
  private static final long MIB = 1 << 20;

  @TempDir Path folder;

  @BeforeEach
  void peers() {
    Peers.requires("qemu-img", "qemu-io");
  }

  @ParameterizedTest
  @CsvSource({"65536, 65536", "65536, 512", "512, 65536", "512, 512", "2097152, 4096"})
  void dirtyRangesAreWhatWasWritten(int cluster, int granularity) throws BlockFault {
    String disk = diskWithBitmap(cluster, granularity);
    // 64 MiB at a granularity of 512 has bits in several clusters of 512 bytes.
    Peers.run(
            "qemu-io",
            "-c",
            "write 0 4k",
            "-c",
            "write 3M 64k",
            "-c",
            "write 17M 20M",
            "-c",
            "write 67104768 4k",
            disk)
        .ok();
    List<Range> expected = new ArrayList<>();
    for (Range range :
        List.of(
            new Range(0, 4096),
            new Range(3 * MIB, 3 * MIB + 65536),
            new Range(17 * MIB, 37 * MIB),
            new Range(67104768, 64 * MIB))) {
      expected.add(
          new Range(
              range.start / granularity * granularity,
              Math.min(64 * MIB, (range.end + granularity - 1) / granularity * granularity)));
    }
    assertThat(dirtyRanges(disk)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({"65536, 65536", "512, 512", "2097152, 4096"})
  void whatWeWriteIsRecordedForQemu(int cluster, int granularity) throws Exception {
    String disk = diskWithBitmap(cluster, granularity);
    Peers.run("qemu-io", "-c", "write 0 4k", disk).ok();
    try (var arena = Arena.ofConfined();
        BlockNode node = new Opener(OpenPolicy.NOTHING).open(disk, "qcow2", OpenMode.WRITE)) {
      node.write(arena.allocate(4096), 3 * MIB, 0);
      assertThat(node.dirtyBitmaps().getFirst().dirtyAt(3 * MIB)).isTrue();
      // Until it is closed nobody may trust what the file says.
      assertThat(Peers.run("qemu-img", "info", "-U", disk).ok().out()).contains("in-use");
      node.writeZeroes(20 * MIB, MIB, 0);
      node.discard(30 * MIB, MIB);
    }
    Peers.run("qemu-img", "check", disk).ok();
    Peers.run("qemu-io", "-c", "write 40M 64k", disk).ok();
    List<Range> expected =
        List.of(
            new Range(0, Math.max(4096, granularity)),
            new Range(3 * MIB, 3 * MIB + Math.max(4096, granularity)),
            new Range(20 * MIB, 21 * MIB),
            new Range(30 * MIB, 31 * MIB),
            new Range(40 * MIB, 40 * MIB + 65536));
    assertThat(dirtyRanges(disk)).isEqualTo(expected);
    Peers.run("qemu-img", "check", disk).ok();
  }

  @Test
  void freshBitmapIsClean() throws BlockFault {
    assertThat(dirtyRanges(diskWithBitmap(65536, 65536))).isEmpty();
  }

  private String diskWithBitmap(int cluster, int granularity) {
    String disk = folder.resolve("disk.qcow2").toString();
    Peers.run(
            "qemu-img", "create", "-q", "-f", "qcow2", "-o", "cluster_size=" + cluster, disk, "64M")
        .ok();
    Peers.run("qemu-img", "bitmap", "--add", "-g", String.valueOf(granularity), disk, "b0").ok();
    return disk;
  }

  private record Range(long start, long end) {}

  private static List<Range> dirtyRanges(String disk) throws BlockFault {
    try (BlockNode node = new Opener(OpenPolicy.NOTHING).open(disk, "qcow2", OpenMode.READ)) {
      assertThat(node.dirtyBitmaps()).hasSize(1);
      DirtyBitmap bitmap = node.dirtyBitmaps().getFirst();
      assertThat(bitmap.name()).isEqualTo("b0");
      assertThat(bitmap.recording()).isTrue();
      assertThat(bitmap.inconsistent()).isFalse();
      var ranges = new ArrayList<Range>();
      for (long at = 0; at < node.length(); ) {
        long end = bitmap.runEnd(at, node.length());
        if (bitmap.dirtyAt(at)) {
          ranges.add(new Range(at, end));
        }
        at = end;
      }
      return ranges;
    }
  }
}
