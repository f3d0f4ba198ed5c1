package hawser.block.format.qcow2;

import static hawser.base.Wire.BE32;
import static hawser.base.Wire.BE64;

import hawser.base.BlockFault;
import hawser.block.format.qcow2.layout.Qcow2Header;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Changes single fields of a header in the file. Each write lies within one sector, so that a crash
 * leaves either the old or the new values.
 */
final class HeaderWriter {
  private static final int SIZE_AT = 24;
  private static final int L1_ENTRIES_AT = 36;

  private HeaderWriter() {}

  /** The three feature words; a version 2 header has none. */
  static void features(HostFile file, Qcow2Header header) throws BlockFault {
    if (header.version() < 3) {
      return;
    }
    try (var arena = Arena.ofConfined()) {
      MemorySegment words = arena.allocate(24, 8);
      words.set(BE64, 0, header.incompatible());
      words.set(BE64, 8, header.compatible());
      words.set(BE64, 16, header.autoclear());
      file.write(words, Qcow2Header.INCOMPATIBLE_AT, 0);
    }
  }

  /** Offset and size of the refcount table. */
  static void refcountTable(HostFile file, Qcow2Header header) throws BlockFault {
    try (var arena = Arena.ofConfined()) {
      MemorySegment fields = arena.allocate(12, 8);
      fields.set(BE64, 0, header.refcountTable());
      fields.set(BE32, 8, (int) header.refcountTableClusters());
      file.write(fields, Qcow2Header.REFCOUNT_TABLE_AT, 0);
    }
  }

  /** Size and offset of the active L1 table. */
  static void l1Table(HostFile file, Qcow2Header header) throws BlockFault {
    try (var arena = Arena.ofConfined()) {
      MemorySegment fields = arena.allocate(12, 8);
      fields.set(BE32, 0, (int) header.l1Entries());
      fields.set(BE64, 4, header.l1Table());
      file.write(fields, L1_ENTRIES_AT, 0);
    }
  }

  /** The size of the disk. */
  static void size(HostFile file, Qcow2Header header) throws BlockFault {
    try (var arena = Arena.ofConfined()) {
      MemorySegment field = arena.allocate(8, 8);
      field.set(BE64, 0, header.size());
      file.write(field, SIZE_AT, 0);
    }
  }
}
