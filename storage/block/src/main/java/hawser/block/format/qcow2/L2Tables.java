package hawser.block.format.qcow2;

import static hawser.base.Wire.BE64;

import hawser.base.BlockFault;
import hawser.block.BlkdebugEvent;
import hawser.block.BlockNode;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.L1Entry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.StampedLock;

/**
 * Changes entries of L2 tables, making tables that are missing and copying those that a snapshot
 * shares. Needs the image's mutex.
 */
final class L2Tables {
  private final Writing writing;
  private final Image image;
  private final Geometry geometry;
  private final Tables tables;
  private final Mapping mapping;
  private final StampedLock view;

  L2Tables(Writing writing) {
    this.writing = writing;
    this.image = writing.image;
    this.geometry = image.geometry;
    this.tables = image.tables;
    this.mapping = tables.mapping();
    this.view = tables.view();
  }

  /** Makes sure that the L2 table for an offset exists and is this mapping's own. */
  void ensureOwn(long guest) throws BlockFault {
    int index = mapping.l1Index(guest);
    long entry = mapping.l1().get(index);
    if (L1Entry.copied(entry)) {
      return;
    }
    long old = L1Entry.offset(entry);
    if (geometry.inCluster(old) != 0) {
      throw image.damage.entry(guest, entry, mapping);
    }
    writing.beginAllocating();
    Allocator.Taken taken = writing.allocator.takeAll(1, "L2 table");
    long at = taken.first() << geometry.clusterBits();
    image.file.event(BlkdebugEvent.L2_ALLOC_WRITE);
    if (old != 0) {
      copy(old, at);
    } else if (taken.fresh()) {
      image.file.grow(at + geometry.clusterBytes());
    } else {
      image.file.writeZeroes(at, geometry.clusterBytes(), 0);
    }
    writing.overlaps.addL2Table(at);
    long stamp = view.writeLock();
    try {
      mapping.l1().set(index, at | L1Entry.COPIED);
    } finally {
      view.unlockWrite(stamp);
    }
    if (old != 0) {
      writing.overlaps.removeL2Table(old);
      writing.freed.add(old);
    } else if (mapping.slices().find(mapping.sliceOf(guest)) < 0) {
      // What a new table maps is known without reading it.
      tables.installEmpty(mapping.sliceOf(guest));
    }
  }

  /** A shared table is never changed in memory, so the file has what it holds. */
  private void copy(long old, long at) throws BlockFault {
    image.file.event(BlkdebugEvent.L2_ALLOC_COW_READ);
    try (var arena = Arena.ofConfined()) {
      MemorySegment table = arena.allocate(geometry.clusterBytes(), 4096);
      image.file.read(table, old);
      image.file.write(table, at, 0);
    }
  }

  /** The slot with the entry of an offset, ready to be changed. */
  int writableSlot(long guest) throws BlockFault {
    ensureOwn(guest);
    return tables.slot(guest);
  }

  long entry(int slot, long guest) {
    return content(slot).get(BE64, at(guest));
  }

  long bitmap(int slot, long guest) {
    return geometry.extendedL2() ? content(slot).get(BE64, at(guest) + 8) : 0;
  }

  /** Stores an entry; {@code bitmap} counts only with extended entries. */
  void set(int slot, long guest, long entry, long bitmap) {
    MemorySegment content = content(slot);
    long stamp = view.writeLock();
    try {
      content.set(BE64, at(guest), entry);
      if (geometry.extendedL2()) {
        content.set(BE64, at(guest) + 8, bitmap);
      }
    } finally {
      view.unlockWrite(stamp);
    }
    mapping.slices().markDirty(slot);
  }

  private MemorySegment content(int slot) {
    return mapping.slices().content(slot);
  }

  private long at(long guest) {
    return (long) mapping.indexInSlice(guest) * geometry.l2EntryBytes();
  }

  /** The first offset behind {@code guest} that another slice maps. */
  long sliceEnd(long guest) {
    return (mapping.sliceOf(guest) + 1) << mapping.sliceShift();
  }

  /** Passes zeroes on to the data file, when that has to stay a raw image. */
  void zeroRaw(long guest, long bytes, int flags) throws BlockFault {
    image.data.writeZeroes(guest, bytes, flags & ~BlockNode.NO_FALLBACK);
  }
}
