package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.BlkdebugEvent;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.RefcountBlock;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The refcounts of an image, through a cache of refcount blocks. Needs the image's mutex.
 *
 * <p>A changed block may be written back at any time: refcounts are raised before anything points
 * to a cluster, and lowered only when nothing durable points to it any more.
 */
final class Refcounts implements AutoCloseable {
  private final HostFile file;
  private final Geometry geometry;
  private final Damage damage;
  private final Overlaps overlaps;
  private final MetadataCache blocks;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment incoming;
  private RefcountTable table;

  Refcounts(Image image, Overlaps overlaps) throws BlockFault {
    this.file = image.file;
    this.geometry = image.geometry;
    this.damage = image.damage;
    this.overlaps = overlaps;
    this.blocks = new MetadataCache(image.options.refcountCacheBytes(), geometry.clusterBytes());
    this.incoming = arena.allocate(geometry.clusterBytes(), 4096);
    long bytes = image.header().refcountTableClusters() << geometry.clusterBits();
    this.table = RefcountTable.read(file, image.header().refcountTable(), bytes);
    for (long i = 0; i < table.count(); i++) {
      overlaps.addRefcountBlock(table.block(i));
    }
  }

  RefcountTable table() {
    return table;
  }

  void replaceTable(RefcountTable newer) {
    table = newer;
  }

  /** The index of the block that counts a cluster. */
  long blockOf(long cluster) {
    return cluster >>> geometry.refcountBlockBits();
  }

  /** The first cluster that a block counts. */
  long firstOf(long block) {
    return block << geometry.refcountBlockBits();
  }

  private long indexOf(long cluster) {
    return cluster & ((1L << geometry.refcountBlockBits()) - 1);
  }

  /** Whether there is a block that counts this cluster. */
  boolean counted(long cluster) {
    return table.block(blockOf(cluster)) != 0;
  }

  /** The refcount of a cluster, unsigned. */
  long get(long cluster) throws BlockFault {
    long block = blockOf(cluster);
    if (table.block(block) == 0) {
      return 0;
    }
    return RefcountBlock.get(
        blocks.content(slot(block)), geometry.refcountOrder(), indexOf(cluster));
  }

  /** Stores a refcount; the block must exist. */
  void set(long cluster, long value) throws BlockFault {
    int slot = slot(blockOf(cluster));
    RefcountBlock.set(blocks.content(slot), geometry.refcountOrder(), indexOf(cluster), value);
    blocks.markDirty(slot);
  }

  /** Adds one reference; EINVAL when the width is exhausted, and nothing is changed. */
  void increment(long cluster) throws BlockFault {
    long now = get(cluster);
    if (now == geometry.refcountMax()) {
      throw BlockFault.of(Errno.EINVAL, "refcount of cluster " + cluster + " cannot grow");
    }
    set(cluster, now + 1);
  }

  /** Takes one reference away and answers what is left; one that is 0 already stays so. */
  long decrement(long cluster) throws BlockFault {
    long now = get(cluster);
    if (now == 0) {
      damage.complain("cluster %d is freed although its refcount is 0".formatted(cluster));
      return -1;
    }
    file.event(BlkdebugEvent.CLUSTER_FREE);
    set(cluster, now - 1);
    return now - 1;
  }

  private int slot(long block) throws BlockFault {
    int slot = blocks.find(block);
    if (slot >= 0) {
      blocks.touch(slot);
      return slot;
    }
    long at = table.block(block);
    if (geometry.inCluster(at) != 0) {
      throw damage.found(
          "Refblock offset %s unaligned (reftable index: %s)"
              .formatted(Damage.hex(at), Damage.hex(block)));
    }
    slot = room(block);
    file.event(BlkdebugEvent.REFBLOCK_LOAD);
    file.read(incoming, at);
    blocks.put(slot, block, incoming);
    return slot;
  }

  private int room(long block) throws BlockFault {
    int slot = blocks.victim(block);
    if (slot < 0) {
      writeBlocks();
      slot = blocks.victim(block);
    }
    return slot;
  }

  /** Puts a new, empty block into the table; nothing is written yet but the block itself. */
  void addBlock(long block, long at) throws BlockFault {
    int slot = room(block);
    incoming.fill((byte) 0);
    blocks.put(slot, block, incoming);
    blocks.markDirty(slot);
    table.set(block, at);
    overlaps.addRefcountBlock(at);
  }

  /** Takes back a growth that failed: the old table, and nothing of the new blocks. */
  void forget(RefcountTable old, long firstBlock, long lastBlock) {
    for (long block = firstBlock; block <= lastBlock; block++) {
      overlaps.removeRefcountBlock(table.block(block));
      blocks.drop(block);
    }
    table = old;
  }

  boolean anyDirty() {
    return blocks.anyDirty();
  }

  /** Writes every changed block. */
  void writeBlocks() throws BlockFault {
    if (!blocks.anyDirty()) {
      return;
    }
    for (int slot = 0; slot < blocks.slots(); slot++) {
      if (blocks.dirty(slot)) {
        long at = table.block(blocks.key(slot));
        overlaps.check(at, geometry.clusterBytes(), Overlaps.Structure.REFCOUNT_BLOCK);
        file.event(BlkdebugEvent.REFBLOCK_UPDATE_PART);
        file.write(blocks.content(slot), at, 0);
        blocks.markClean(slot);
      }
    }
  }

  @Override
  public void close() {
    blocks.close();
    arena.close();
  }
}
