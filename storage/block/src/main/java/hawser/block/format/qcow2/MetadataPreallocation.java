package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.block.format.qcow2.layout.RefcountBlock;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.OptionalLong;

/**
 * Whether an image has noticeably more clusters in use than its file takes room for. Then many of
 * its clusters were only preallocated, and it pays to ask the file which of them are holes. The
 * measure is QEMU's, so that both tell the same map.
 *
 * <p>Counts what the file holds: refcounts that are not written yet make the answer "no" at worst,
 * and that costs time and nothing else.
 */
final class MetadataPreallocation {
  private MetadataPreallocation() {}

  static boolean in(HostFile file, Qcow2Header header) throws BlockFault {
    Geometry geometry = header.geometry();
    OptionalLong taken = file.node().info().allocated();
    if (taken.isEmpty()) {
      return false;
    }
    long stored = taken.getAsLong() / geometry.clusterBytes();
    long threshold = Math.max(stored * 10 / 9, stored + 2);
    long clusters = geometry.clustersFor(file.node().length());
    return clusters >= threshold && used(file, header, clusters, threshold) >= threshold;
  }

  /** How many of the file's clusters are in use; counts no further than {@code enough}. */
  private static long used(HostFile file, Qcow2Header header, long clusters, long enough)
      throws BlockFault {
    Geometry geometry = header.geometry();
    long tableBytes = header.refcountTableClusters() << geometry.clusterBits();
    RefcountTable table = RefcountTable.read(file, header.refcountTable(), tableBytes);
    long perBlock = 1L << geometry.refcountBlockBits();
    long used = 0;
    try (var arena = Arena.ofConfined()) {
      MemorySegment block = arena.allocate(geometry.clusterBytes(), 4096);
      for (long first = 0; first < clusters && used < enough; first += perBlock) {
        long at = table.block(first >>> geometry.refcountBlockBits());
        if (at != 0) {
          file.read(block, at);
          long count = Math.min(perBlock, clusters - first);
          for (long i = 0; i < count && used < enough; i++) {
            used += RefcountBlock.get(block, geometry.refcountOrder(), i) == 0 ? 0 : 1;
          }
        }
      }
    }
    return used;
  }
}
