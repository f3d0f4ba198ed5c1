package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.block.BlkdebugEvent;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.block.format.qcow2.layout.Qcow2Limits;

/**
 * Moves the refcount table to a larger place when the file outgrows it.
 *
 * <p>The new table lies behind everything the old one could count, with the refcount blocks that
 * count it and themselves in front of it. All of that is durable before the one write to the header
 * that switches over; a crash before leaks the new table, a crash after the old one.
 */
final class RefcountTableGrowth {
  private final Image image;
  private final HostFile file;
  private final Geometry geometry;
  private final Refcounts refcounts;
  private final Overlaps overlaps;
  private final Allocator allocator;

  RefcountTableGrowth(Image image, Refcounts refcounts, Overlaps overlaps, Allocator allocator) {
    this.image = image;
    this.file = image.file;
    this.geometry = image.geometry;
    this.refcounts = refcounts;
    this.overlaps = overlaps;
    this.allocator = allocator;
  }

  /** Makes the table large enough for {@code cluster}, which nothing counts yet, and uses it. */
  void grow(long cluster) throws BlockFault {
    file.event(BlkdebugEvent.REFTABLE_GROW);
    RefcountTable old = refcounts.table();
    long perCluster = geometry.refcountTableEntriesPerCluster();
    long oldClusters = old.count() / perCluster;
    long first = cluster;
    long blocks = 0;
    long tableClusters = 0;
    long firstBlock = refcounts.blockOf(first);
    long lastBlock = -1;
    while (true) {
      long end = first + blocks + tableClusters;
      lastBlock = refcounts.blockOf(end);
      long needed = lastBlock - firstBlock + 1;
      long wanted =
          Math.max(Ranges.unitsFor(lastBlock + 1, perCluster), oldClusters + oldClusters / 2 + 1);
      if (needed == blocks && wanted == tableClusters) {
        break;
      }
      blocks = needed;
      tableClusters = wanted;
    }
    long tableBytes = tableClusters << geometry.clusterBits();
    if (tableBytes > Qcow2Limits.REFCOUNT_TABLE_BYTES_MAX) {
      throw BlockFault.of(Errno.EFBIG, "the refcount table cannot grow");
    }
    long tableAt = (first + blocks) << geometry.clusterBits();
    overlaps.check(
        first << geometry.clusterBits(), (blocks + tableClusters) << geometry.clusterBits(), null);
    refcounts.replaceTable(old.grown(tableAt, tableBytes));
    try {
      fill(first, blocks, tableClusters, firstBlock);
      switchTo(refcounts.table(), tableClusters);
    } catch (BlockFault fault) {
      refcounts.forget(old, firstBlock, lastBlock);
      throw fault;
    }
    allocator.noteTaken(first, blocks + tableClusters);
    // The file's header names the new table already: a failure from here on leaks the old one.
    file.node().flush();
    free(old, oldClusters);
  }

  private void fill(long first, long blocks, long tableClusters, long firstBlock)
      throws BlockFault {
    for (long i = 0; i < blocks; i++) {
      refcounts.addBlock(firstBlock + i, (first + i) << geometry.clusterBits());
    }
    for (long used = first; used < first + blocks + tableClusters; used++) {
      refcounts.set(used, 1);
    }
  }

  private void switchTo(RefcountTable table, long clusters) throws BlockFault {
    file.event(BlkdebugEvent.REFBLOCK_ALLOC_WRITE_BLOCKS);
    refcounts.writeBlocks();
    file.event(BlkdebugEvent.REFBLOCK_ALLOC_WRITE_TABLE);
    file.write(table.bytes(), table.at(), 0);
    file.node().flush();
    Qcow2Header header = image.header().withRefcountTable(table.at(), clusters);
    file.event(BlkdebugEvent.REFBLOCK_ALLOC_SWITCH_TABLE);
    HeaderWriter.refcountTable(file, header);
    image.header(header);
    table.written();
    overlaps.moved(
        Overlaps.Structure.REFCOUNT_TABLE, table.at(), clusters << geometry.clusterBits());
  }

  private void free(RefcountTable old, long clusters) throws BlockFault {
    long first = old.at() >>> geometry.clusterBits();
    for (long i = 0; i < clusters; i++) {
      if (refcounts.decrement(first + i) == 0) {
        allocator.freed(first + i);
      }
    }
  }
}
