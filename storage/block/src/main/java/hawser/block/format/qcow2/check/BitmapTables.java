package hawser.block.format.qcow2.check;

import static hawser.block.format.qcow2.layout.StoredBitmap.OFFSET_MASK;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.block.format.qcow2.layout.BitmapDirectory;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.block.format.qcow2.layout.StoredBitmap;

/** Reads the tables of the persistent bitmaps ("Bitmap table"). Used by one thread. */
final class BitmapTables {
  /** A bitmap table entry without an offset: bit 0 means all ones. */
  private static final long ALL_ONES = 1;

  private static final int PIECE = TableReader.BUFFER_BYTES / 8;

  private final PaddedFile file;
  private final Geometry geometry;
  private final TableReader reader;

  BitmapTables(PaddedFile file, Geometry geometry, TableReader reader) {
    this.file = file;
    this.geometry = geometry;
    this.reader = reader;
  }

  /** What to do with one entry. */
  @FunctionalInterface
  interface Each {
    /** Takes the offset of a cluster of bits; 0 for none. */
    void offset(long offset) throws BlockFault;
  }

  /**
   * Goes through a table.
   *
   * @return false when it ended at an entry that cannot be
   */
  boolean entries(StoredBitmap bitmap, Each each) throws BlockFault {
    long at = bitmap.table().bytes();
    // What lies behind the file's end is zero, which is a sound entry that references nothing.
    long left = Math.clamp((file.storedLength() - at + 7) / 8, 0, bitmap.tableEntries());
    long[] piece = new long[(int) Math.min(PIECE, left)];
    while (left > 0) {
      int count = (int) Math.min(piece.length, left);
      reader.read(at, piece, count);
      for (int i = 0; i < count; i++) {
        if (!sound(piece[i])) {
          return false;
        }
        each.offset(piece[i] & OFFSET_MASK);
      }
      at += 8L * count;
      left -= count;
    }
    return true;
  }

  private boolean sound(long entry) {
    long offset = entry & OFFSET_MASK;
    return (entry & ~(OFFSET_MASK | ALL_ONES)) == 0
        && (offset == 0 || ((entry & ALL_ONES) == 0 && geometry.inCluster(offset) == 0));
  }

  /**
   * Judges the bitmaps as QEMU does when it opens an image and loads them.
   *
   * @throws BlockFault EINVAL with QEMU's words
   */
  static void judge(PaddedFile file, Qcow2Header header) throws BlockFault {
    BitmapDirectory directory = BitmapDirectory.read(file, header);
    if (!directory.flaws().isEmpty()) {
      throw directory.flaws().getFirst().fault();
    }
    if (directory.bitmaps().isEmpty()) {
      return;
    }
    try (var reader = new TableReader(file)) {
      var tables = new BitmapTables(file, header.geometry(), reader);
      for (StoredBitmap bitmap : directory.bitmaps()) {
        if (!bitmap.inUse()) {
          tables.judge(bitmap, header.size());
        }
      }
    }
  }

  private void judge(StoredBitmap bitmap, long diskBytes) throws BlockFault {
    if (!entries(bitmap, offset -> {})) {
      throw BlockFault.of(
          Errno.EINVAL,
          "Could not read bitmap_table table from image for bitmap '%s'".formatted(bitmap.name()));
    }
    long bits = Ranges.unitsFor(diskBytes, 1L << bitmap.granularityBits());
    if (bitmap.tableEntries() != geometry.clustersFor(Ranges.unitsFor(bits, 8))) {
      throw BlockFault.of(
          Errno.EINVAL, "Could not read bitmap '%s' from image".formatted(bitmap.name()));
    }
  }
}
