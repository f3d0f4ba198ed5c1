package hawser.block.format.qcow2.check;

import hawser.base.BlockFault;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.L1Entry;
import hawser.block.format.qcow2.layout.L2Entry;

/**
 * Compares the "copied" flags of the active tables with the stored refcounts: the flag says
 * "exactly one". A refcount that cannot be read was told before and is passed over.
 */
final class CopiedFlags {
  private final Geometry geometry;
  private final StoredRefcounts stored;
  private final Tally tally;
  private final TableReader reader;
  private final long[] table;
  private long refcount;

  CopiedFlags(Geometry geometry, StoredRefcounts stored, Tally tally, TableReader reader) {
    this.geometry = geometry;
    this.stored = stored;
    this.tally = tally;
    this.reader = reader;
    this.table = new long[geometry.clusterBytes() / 8];
  }

  /** Looks at one L1 entry and at every entry of its L2 table. */
  void l1Entry(long index, long entry) throws BlockFault {
    long offset = L1Entry.offset(entry);
    if (offset == 0 || !load(offset)) {
      return;
    }
    if ((refcount == 1) != L1Entry.copied(entry)) {
      tally.corruption(
          "ERROR OFLAG_COPIED L2 cluster: l1_index=%d l1_entry=%x refcount=%s"
              .formatted(index, entry, Long.toUnsignedString(refcount)));
    }
    reader.read(offset, table, table.length);
    for (int i = 0; i < table.length; i += geometry.l2EntryBytes() / 8) {
      if (table[i] != 0) {
        l2Entry(table[i]);
      }
    }
  }

  private void l2Entry(long entry) throws BlockFault {
    long offset = entry & L2Entry.OFFSET_MASK;
    if ((entry & L2Entry.COMPRESSED) != 0 || (offset == 0 && !L2Scan.dataAtZero(entry, geometry))) {
      return;
    }
    if (geometry.dataFile()) {
      refcount = 1;
    } else if (!load(offset)) {
      return;
    }
    if ((refcount == 1) != ((entry & L2Entry.COPIED) != 0)) {
      tally.corruption(
          "ERROR OFLAG_COPIED data cluster: l2_entry=%x refcount=%s"
              .formatted(entry, Long.toUnsignedString(refcount)));
    }
  }

  /** False: the refcount of that cluster cannot be read. */
  private boolean load(long offset) throws BlockFault {
    long cluster = offset >>> geometry.clusterBits();
    RefcountPage page = stored.page(cluster / References.PAGE_CLUSTERS);
    int index = (int) (cluster % References.PAGE_CLUSTERS);
    if (!page.readable(index)) {
      stored.complain(cluster, tally.listener());
      return false;
    }
    refcount = page.get(index);
    return true;
  }
}
