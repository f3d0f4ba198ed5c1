package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.block.BlockNode;
import hawser.block.Extent;
import hawser.block.Measure;
import hawser.block.Preallocation;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.Qcow2Limits;
import hawser.block.format.qcow2.layout.StoredBitmap;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** How much room a qcow2 image takes: the arithmetic of {@code qemu-img measure}. */
public final class Qcow2Measure {
  private Qcow2Measure() {}

  /**
   * Measures a new image.
   *
   * @param options what it will be like; its size counts only without a source
   * @param source what will be copied into it, or null
   * @throws BlockFault EINVAL with QEMU's words when the size is too large for the format
   */
  public static Measure of(Qcow2Options options, @Nullable BlockNode source) throws BlockFault {
    Geometry geometry = options.geometry();
    long cluster = geometry.clusterBytes();
    long size = Ranges.alignUp(options.size(), cluster);
    refuseTooLarge(geometry, size);
    long required = 0;
    if (source != null) {
      size = Ranges.alignUp(source.length(), cluster);
      // How much of a backing file the source shares is not known: all of it may be written.
      required = options.backingFile() != null ? size : used(source, cluster);
    }
    if (options.preallocation() == Preallocation.FULL
        || options.preallocation() == Preallocation.FALLOC) {
      required = size;
    }
    long full = allocated(geometry, size);
    OptionalLong bitmaps =
        options.version() >= 3 && source instanceof Qcow2Node from && from.header().version() >= 3
            ? OptionalLong.of(bitmaps(from, geometry))
            : OptionalLong.empty();
    return new Measure(full - size + required, full, bitmaps);
  }

  private static void refuseTooLarge(Geometry geometry, long size) throws BlockFault {
    if (geometry.l1EntriesFor(size) * 8 > Qcow2Limits.L1_BYTES_MAX) {
      throw new BlockFault(
          Errno.EINVAL, "The image size is too large (try using a larger cluster size)");
    }
  }

  private static long used(BlockNode source, long cluster) throws BlockFault {
    long end = source.length();
    long used = 0;
    long at = 0;
    while (at < end) {
      Extent extent = source.extent(at, end - at);
      long length = extent.length();
      if (!extent.kind().zero()) {
        length = Ranges.alignUp(at + length, cluster) - at;
        used += at % cluster + length;
      }
      at += length;
    }
    return used;
  }

  /** The file's size once every cluster of a disk of {@code size} bytes is allocated. */
  private static long allocated(Geometry geometry, long size) {
    long cluster = geometry.clusterBytes();
    long l2Entries = Ranges.alignUp(size / cluster, cluster / geometry.l2EntryBytes());
    long l2 = l2Entries * geometry.l2EntryBytes();
    long l1 = Ranges.alignUp(l2 / cluster, cluster / 8) * 8;
    long meta = cluster + l2 + l1;
    long[] refcounts = NewLayout.refcounts(geometry, (meta + size) / cluster);
    return meta + (refcounts[0] + refcounts[1]) * cluster + size;
  }

  /** Directory, tables and data of the source's persistent bitmaps, in clusters of the target. */
  private static long bitmaps(Qcow2Node source, Geometry geometry) throws BlockFault {
    long cluster = geometry.clusterBytes();
    long directory = 0;
    long total = 0;
    for (StoredBitmap bitmap : source.storedBitmaps()) {
      if (bitmap.inUse()) {
        continue;
      }
      long bits = Ranges.unitsFor(source.length(), 1L << bitmap.granularityBits());
      long clusters = Ranges.unitsFor(Ranges.unitsFor(bits, 8), cluster);
      total += clusters * cluster + Ranges.alignUp(clusters * 8, cluster);
      int name = bitmap.name().getBytes(java.nio.charset.StandardCharsets.UTF_8).length;
      directory += Ranges.alignUp(StoredBitmap.FIXED_BYTES + name, 8);
    }
    return total + Ranges.alignUp(directory, cluster);
  }
}
