package hawser.block.format.qcow2.check;

import hawser.base.BlockFault;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.L2Entry;

/**
 * Counts what one L2 table references and names every flaw of its entries, in QEMU's order ("L2
 * table entry"). Used by one thread.
 */
final class L2Scan {
  private final Geometry geometry;
  private final Counter counter;
  private final Tally tally;
  private final TableReader reader;
  private final long[] table;
  private long contiguous;

  L2Scan(Geometry geometry, Counter counter, Tally tally, TableReader reader) {
    this.geometry = geometry;
    this.counter = counter;
    this.tally = tally;
    this.reader = reader;
    this.table = new long[geometry.clusterBytes() / 8];
  }

  /**
   * Scans the table at an offset.
   *
   * @param active whether its clusters count as allocated; a snapshot's do not
   */
  void scan(long offset, boolean active) throws BlockFault {
    reader.read(offset, table, table.length);
    contiguous = 0;
    int stride = geometry.l2EntryBytes() / 8;
    for (int i = 0; i < table.length; i += stride) {
      long entry = table[i];
      long bitmap = stride == 2 ? table[i + 1] : 0;
      if (entry != 0 || bitmap != 0) {
        entry(i / stride, entry, bitmap, active);
      }
    }
  }

  private void entry(int index, long entry, long bitmap, boolean active) throws BlockFault {
    if ((entry & L2Entry.COMPRESSED) != 0) {
      compressed(index, entry, bitmap, active);
      return;
    }
    if ((entry & L2Entry.STANDARD_RESERVED_MASK) != 0) {
      tally.corruption("ERROR found l2 entry with reserved bits set: %x".formatted(entry));
    }
    long offset = entry & L2Entry.OFFSET_MASK;
    if (offset == 0 && !dataAtZero(entry, geometry)) {
      if (!zeroFlag(entry) && (bitmap & L2Entry.SUB_ALLOCATED) != 0) {
        tally.corruption("ERROR: Unallocated cluster has non-zero subcluster allocation map");
      }
      return;
    }
    standard(entry, offset, bitmap, active);
  }

  private boolean zeroFlag(long entry) {
    return !geometry.extendedL2() && (entry & L2Entry.ZERO) != 0;
  }

  /** With an external data file, offset 0 is a place like any other if the entry says "copied". */
  static boolean dataAtZero(long entry, Geometry geometry) {
    boolean zero = !geometry.extendedL2() && (entry & L2Entry.ZERO) != 0;
    return geometry.dataFile() && !zero && (entry & L2Entry.COPIED) != 0;
  }

  private void compressed(int index, long stored, long bitmap, boolean active) throws BlockFault {
    long entry = stored;
    if ((entry & L2Entry.COPIED) != 0) {
      tally.corruption(
          "ERROR: coffset=0x%x: copied flag must never be set for compressed clusters"
              .formatted(geometry.compressedOffset(entry)));
      entry &= ~L2Entry.COPIED;
    }
    if (geometry.dataFile()) {
      tally.corruption(
          "ERROR compressed cluster %d with data file, entry=0x%x".formatted(index, entry));
      return;
    }
    if (bitmap != 0) {
      tally.corruption(
          "ERROR compressed cluster %d with non-zero subcluster allocation bitmap, entry=0x%x"
              .formatted(index, entry));
      return;
    }
    counter.region(geometry.compressedOffset(entry), geometry.compressedBytes(entry));
    if (active) {
      tally.allocated++;
      tally.compressed++;
      tally.fragmented++;
    }
  }

  private void standard(long entry, long offset, long bitmap, boolean active) throws BlockFault {
    if ((bitmap >>> 32 & bitmap) != 0) {
      tally.corruption(
          "ERROR offset=%x: Allocated cluster has corrupted subcluster allocation bitmap"
              .formatted(offset));
    }
    if (geometry.inCluster(offset) != 0) {
      boolean data =
          geometry.extendedL2() ? (bitmap & L2Entry.SUB_ALLOCATED) != 0 : !zeroFlag(entry);
      tally.corruption(
          (data
                  ? "ERROR offset=%x: Data cluster is not properly aligned; L2 entry corrupted."
                  : "ERROR offset=%x: Preallocated cluster is not properly aligned; L2 entry corrupted.")
              .formatted(offset));
    }
    if (active) {
      tally.allocated++;
      if (contiguous != 0 && offset != contiguous) {
        tally.fragmented++;
      }
      contiguous = offset + geometry.clusterBytes();
    }
    if (!geometry.dataFile()) {
      counter.region(offset, geometry.clusterBytes());
    }
  }
}
