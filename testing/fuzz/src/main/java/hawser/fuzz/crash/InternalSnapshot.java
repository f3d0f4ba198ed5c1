package hawser.fuzz.crash;

import static hawser.base.Wire.BE16;
import static hawser.base.Wire.BE32;
import static hawser.base.Wire.BE64;
import static java.nio.charset.StandardCharsets.UTF_8;

import hawser.base.BlockFault;
import hawser.base.Ranges;
import hawser.block.OpenMode;
import hawser.block.Options;
import hawser.block.format.qcow2.Qcow2Driver;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.IncompatibleFeature;
import hawser.block.format.qcow2.layout.L2Entry;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.testkit.node.MemoryNode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Puts a snapshot into a closed version 3 image, which the writer under test cannot do: a copy of
 * the L1 table and a snapshot table, appended to the file ("Snapshots"). The refcounts are left to
 * the repair of an image that says it is dirty.
 */
final class InternalSnapshot {
  private static final int SNAPSHOTS_AT = 60;
  private static final int L1_ENTRIES_AT = 36;
  private static final int SIZE_AT = 24;
  private static final int L1_TABLE_AT = 40;
  private static final int INCOMPATIBLE_END = Qcow2Header.INCOMPATIBLE_AT + 8;
  private static final int TABLE_BYTES = 64;
  private static final int EXTRA_BYTES = 16;
  private static final long COPIED = 1L << 63;

  private InternalSnapshot() {}

  /** Afterwards every cluster of the disk belongs to the disk and to the snapshot. */
  static void take(MemoryNode image) throws BlockFault {
    Qcow2Header header = Qcow2Header.read(image);
    int clusterBytes = header.geometry().clusterBytes();
    try (var arena = Arena.ofConfined()) {
      MemorySegment l1 = arena.allocate(header.l1Entries() * 8, 8);
      image.read(l1, header.l1Table());
      for (long at = 0; at < l1.byteSize(); at += 8) {
        long entry = l1.get(BE64, at);
        l1.set(BE64, at, entry & ~COPIED);
        if (entry != 0) {
          share(image, entry & ~COPIED, header.geometry());
        }
      }
      image.write(l1, header.l1Table(), 0);
      long at = Ranges.alignUp(image.length(), clusterBytes);
      image.write(l1, at, 0);
      long table = Ranges.alignUp(at + l1.byteSize(), clusterBytes);
      image.write(arena.allocate(clusterBytes), table, 0);
      image.write(entry(arena.allocate(TABLE_BYTES), header, at), table, 0);
      MemorySegment fields = arena.allocate(INCOMPATIBLE_END - SNAPSHOTS_AT);
      fields.set(BE32, 0, 1);
      fields.set(BE64, 4, table);
      fields.set(BE64, 12, header.incompatible() | IncompatibleFeature.DIRTY.mask());
      image.write(fields, SNAPSHOTS_AT, 0);
    }
    Qcow2Driver.openOver(image, null, null, new Options(), OpenMode.WRITE, text -> {}).close();
  }

  private static MemorySegment entry(MemorySegment entry, Qcow2Header header, long l1) {
    entry.set(BE64, 0, l1);
    entry.set(BE32, 8, (int) header.l1Entries());
    entry.set(BE16, 12, (short) 1);
    entry.set(BE16, 14, (short) 4);
    entry.set(BE32, 36, EXTRA_BYTES);
    entry.set(BE64, 48, header.size());
    MemorySegment.copy(MemorySegment.ofArray("1then".getBytes(UTF_8)), 0, entry, 56, 5);
    return entry;
  }

  /** No cluster of that L2 table may be written in place any more. */
  private static void share(MemoryNode image, long table, Geometry geometry) throws BlockFault {
    try (var arena = Arena.ofConfined()) {
      MemorySegment l2 = arena.allocate(geometry.clusterBytes(), 8);
      image.read(l2, table);
      for (long at = 0; at < l2.byteSize(); at += geometry.l2EntryBytes()) {
        long entry = l2.get(BE64, at);
        if ((entry & L2Entry.COMPRESSED) == 0) {
          l2.set(BE64, at, entry & ~COPIED);
        }
      }
      image.write(l2, table, 0);
    }
  }

  /** An image whose disk is what the snapshot of {@code image} keeps; for reading only. */
  static MemoryNode revealed(MemoryNode image) throws BlockFault {
    MemoryNode copy = image.copy();
    try (var arena = Arena.ofConfined()) {
      MemorySegment where = arena.allocate(8);
      image.read(where, SNAPSHOTS_AT + 4);
      MemorySegment entry = arena.allocate(TABLE_BYTES);
      image.read(entry, where.get(BE64, 0));
      copy.write(entry.asSlice(8, 4), L1_ENTRIES_AT, 0);
      copy.write(entry.asSlice(0, 8), L1_TABLE_AT, 0);
      copy.write(entry.asSlice(48, 8), SIZE_AT, 0);
    }
    return copy;
  }
}
