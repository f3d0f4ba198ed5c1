package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.block.BlkdebugEvent;
import hawser.block.format.qcow2.layout.L1Entry;
import java.util.BitSet;

/**
 * Writes changed metadata in the order that survives a crash at any point; the package
 * documentation says which and why. Needs the image's mutex, except where it says otherwise.
 */
final class WriteBack {
  private final Image image;
  private final Refcounts refcounts;
  private final Overlaps overlaps;
  private final FreedClusters freed;
  private final boolean lazy;

  WriteBack(Image image, Refcounts refcounts, Overlaps overlaps, FreedClusters freed) {
    this.image = image;
    this.refcounts = refcounts;
    this.overlaps = overlaps;
    this.freed = freed;
    this.lazy = image.options.lazyRefcounts();
  }

  /** Whether a flush has more to do than to flush the files. Asked without the mutex. */
  boolean anything() {
    return tablesChanged() || (!lazy && (refcounts.anyDirty() || refcounts.table().anyUnwritten()));
  }

  private boolean tablesChanged() {
    return image.tables.mapping().slices().anyDirty() || l1Changed();
  }

  private boolean l1Changed() {
    return !image.tables.mapping().l1().unwritten().isEmpty();
  }

  /** Makes all data and metadata durable; with lazy refcounts, all but the refcounts. */
  void all() throws BlockFault {
    if (!lazy) {
      refcounts();
    }
    tables();
    freed.tablesDurable();
  }

  /** Makes refcounts durable, and all data written so far with them. */
  void refcounts() throws BlockFault {
    refcounts.writeBlocks();
    flushFiles();
    if (refcounts.table().anyUnwritten()) {
      refcounts.table().write(image.file);
      flushImage();
      refcounts.table().written();
    }
  }

  private void tables() throws BlockFault {
    if (lazy) {
      flushFiles();
    }
    MetadataCache slices = image.tables.mapping().slices();
    if (slices.anyDirty()) {
      for (int slot = 0; slot < slices.slots(); slot++) {
        if (slices.dirty(slot)) {
          writeSlice(slices, slot);
        }
      }
      flushImage();
    }
    if (l1Changed()) {
      writeL1();
      flushImage();
      image.tables.mapping().l1().unwritten().clear();
    }
  }

  private void writeSlice(MetadataCache slices, int slot) throws BlockFault {
    Mapping mapping = image.tables.mapping();
    long slice = slices.key(slot);
    long guest = slice << mapping.sliceShift();
    long table = L1Entry.offset(mapping.l1().get(mapping.l1Index(guest)));
    long at = table + mapping.offsetInTable(slice);
    overlaps.check(at, slices.slotBytes(), Overlaps.Structure.ACTIVE_L2);
    image.file.event(BlkdebugEvent.L2_UPDATE);
    image.file.write(slices.content(slot), at, 0);
    slices.markClean(slot);
  }

  private void writeL1() throws BlockFault {
    L1Table l1 = image.tables.mapping().l1();
    BitSet unwritten = l1.unwritten();
    int first = unwritten.nextSetBit(0);
    while (first >= 0) {
      int end = unwritten.nextClearBit(first);
      long at = l1.at() + first * 8L;
      long bytes = (end - first) * 8L;
      overlaps.check(at, bytes, Overlaps.Structure.ACTIVE_L1);
      image.file.event(BlkdebugEvent.L1_UPDATE);
      image.file.write(l1.bytes().asSlice(first * 8L, bytes), at, 0);
      first = unwritten.nextSetBit(end);
    }
  }

  private void flushImage() throws BlockFault {
    image.file.event(BlkdebugEvent.FLUSH_TO_DISK);
    image.file.node().flush();
  }

  /** Flushes the files alone; any thread. */
  void flushFiles() throws BlockFault {
    image.file.event(BlkdebugEvent.FLUSH_TO_DISK);
    if (image.data != image.file) {
      image.data.node().flush();
    }
    image.file.node().flush();
  }
}
