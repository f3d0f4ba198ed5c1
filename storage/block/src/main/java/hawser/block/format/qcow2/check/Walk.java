package hawser.block.format.qcow2.check;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.block.format.qcow2.layout.BitmapDirectory;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.HeaderExtension;
import hawser.block.format.qcow2.layout.L1Entry;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.block.format.qcow2.layout.Qcow2Limits;
import hawser.block.format.qcow2.layout.RefcountBlock;
import hawser.block.format.qcow2.layout.Snapshot;
import hawser.block.format.qcow2.layout.SnapshotTable;
import hawser.block.format.qcow2.layout.StoredBitmap;

/**
 * Walks every reference of an image in QEMU's order and counts it: header, active L1, snapshots and
 * their table, refcount table, crypto header, bitmaps, refcount blocks. Used by one thread; L2
 * tables of a quick walk are shared out to more.
 */
final class Walk implements AutoCloseable {
  /** Entries of a table read in one piece. */
  private static final int PIECE = TableReader.BUFFER_BYTES / 8;

  private final PaddedFile file;
  private final Qcow2Header header;
  private final Geometry geometry;
  private final SnapshotTable snapshots;
  private final StoredRefcounts stored;
  private final CheckLimits limits;
  private final References references;
  private final Tally tally;
  private final Counter counter;
  private final TableReader reader;
  private boolean copiedRight = true;

  Walk(
      PaddedFile file,
      Qcow2Header header,
      SnapshotTable snapshots,
      StoredRefcounts stored,
      CheckLimits limits,
      Tally tally)
      throws BlockFault {
    this.file = file;
    this.header = header;
    this.geometry = header.geometry();
    this.snapshots = snapshots;
    this.stored = stored;
    this.limits = limits;
    this.tally = tally;
    long clusters = geometry.clustersFor(file.storedLength());
    if (clusters > CheckLimits.CLUSTERS_MAX) {
      throw BlockFault.of(Errno.EFBIG, "Check failed");
    }
    this.references = new References(clusters, geometry.refcountMax(), limits);
    this.counter = new Counter(references, tally, file.storedLength(), geometry.clusterBits());
    this.reader = new TableReader(file);
  }

  References references() {
    return references;
  }

  /** After a quick walk: whether every "copied" flag is known to be right. */
  boolean copiedRight() {
    return copiedRight;
  }

  /** Walks everything; a quick walk ends early when the tally turns odd. */
  void run() throws BlockFault {
    counter.region(0, geometry.clusterBytes());
    l1(header.l1Table(), header.l1Entries(), true);
    snapshots();
    counter.region(header.snapshotTable(), snapshots.bytes());
    counter.region(
        header.refcountTable(), header.refcountTableClusters() << geometry.clusterBits());
    var crypto = header.extensions().last(HeaderExtension.CryptoHeader.class);
    if (crypto.isPresent()) {
      counter.region(crypto.get().at().bytes(), crypto.get().bytes());
    }
    bitmaps();
    refcountBlocks();
  }

  private void l1(long offset, long entries, boolean active) throws BlockFault {
    counter.region(offset, entries * 8);
    if (!Ranges.contains(PaddedFile.LENGTH, offset, entries * 8)) {
      tally.checkError("ERROR: I/O error in check_refcounts_l1");
      if (tally.quick()) {
        return;
      }
      throw BlockFault.of(Errno.EIO, "Check failed");
    }
    // What lies behind the file's end is zero and references nothing.
    long stop = Math.clamp((file.storedLength() - offset + 7) / 8, 0, entries);
    tally.expect(stop);
    long[] piece = new long[(int) Math.min(PIECE, stop)];
    for (long at = 0; at < stop && !tally.odd(); at += piece.length) {
      int count = (int) Math.min(piece.length, stop - at);
      reader.read(offset + at * 8, piece, count);
      if (tally.quick()) {
        quickL2s(piece, count, active);
      } else {
        exactL2s(piece, count, active);
      }
    }
  }

  private void quickL2s(long[] entries, int count, boolean active) throws BlockFault {
    int tables = 0;
    for (int i = 0; i < count; i++) {
      long entry = entries[i];
      if (entry == 0) {
        continue;
      }
      long offset = L1Entry.offset(entry);
      if (offset == 0 || (entry & L1Entry.RESERVED_MASK) != 0 || geometry.inCluster(offset) != 0) {
        tally.markOdd();
        return;
      }
      counter.region(offset, geometry.clusterBytes());
      if (active && copiedRight) {
        copiedRight = copiedRight(entry, offset);
      }
      entries[tables++] = offset;
    }
    if (!tally.odd()) {
      var pass = new QuickPass(file, geometry, limits, references, active ? stored : null);
      copiedRight &= pass.run(entries, tables, active, tally);
    }
  }

  private boolean copiedRight(long entry, long offset) throws BlockFault {
    long cluster = offset >>> geometry.clusterBits();
    RefcountPage page = stored.page(cluster / References.PAGE_CLUSTERS);
    int index = (int) (cluster % References.PAGE_CLUSTERS);
    return page.readable(index) && (page.get(index) == 1) == L1Entry.copied(entry);
  }

  private void exactL2s(long[] entries, int count, boolean active) throws BlockFault {
    var scan = new L2Scan(geometry, counter, tally, reader);
    for (int i = 0; i < count; i++) {
      long entry = entries[i];
      if (entry == 0) {
        continue;
      }
      if ((entry & L1Entry.RESERVED_MASK) != 0) {
        tally.corruption("ERROR found L1 entry with reserved bits set: %x".formatted(entry));
      }
      long offset = L1Entry.offset(entry);
      counter.region(offset, geometry.clusterBytes());
      if (geometry.inCluster(offset) != 0) {
        tally.corruption(
            "ERROR l2_offset=%x: Table is not cluster aligned; L1 entry corrupted"
                .formatted(offset));
      }
      scan.scan(offset, active);
      tally.step(1);
    }
  }

  private void snapshots() throws BlockFault {
    if (geometry.dataFile() && !snapshots.snapshots().isEmpty()) {
      tally.corruption(
          "ERROR %d snapshots in image with data file".formatted(snapshots.snapshots().size()));
    }
    for (Snapshot snapshot : snapshots.snapshots()) {
      if (tally.odd()) {
        return;
      }
      String who = "ERROR snapshot " + snapshot.id() + " (" + snapshot.name() + ") ";
      if (geometry.inCluster(snapshot.l1Table()) != 0) {
        tally.corruption(
            who
                + "l1_offset=%s: L1 table is not cluster aligned; snapshot table entry corrupted"
                    .formatted(hexadecimal(snapshot.l1Table())));
      } else if (snapshot.l1Entries() > Qcow2Limits.L1_BYTES_MAX / 8) {
        tally.corruption(
            who
                + "l1_size=%s: L1 table is too large; snapshot table entry corrupted"
                    .formatted(hexadecimal(snapshot.l1Entries())));
      } else if (snapshot.l1Entries() > 0) {
        l1(snapshot.l1Table(), snapshot.l1Entries(), false);
      }
    }
  }

  private static String hexadecimal(long value) {
    return value == 0 ? "0" : "0x" + Long.toHexString(value);
  }

  private void bitmaps() throws BlockFault {
    var extension = header.extensions().last(HeaderExtension.Bitmaps.class);
    BitmapDirectory directory = BitmapDirectory.read(file, header);
    if (extension.isEmpty() || directory.equals(BitmapDirectory.EMPTY) || tally.odd()) {
      return;
    }
    counter.region(extension.get().directory().bytes(), extension.get().directoryBytes());
    if (!directory.flaws().isEmpty()) {
      tally.silentCorruption();
      throw BlockFault.of(Errno.EINVAL, "Check failed");
    }
    for (StoredBitmap bitmap : directory.bitmaps()) {
      bitmap(bitmap);
    }
  }

  private void bitmap(StoredBitmap bitmap) throws BlockFault {
    counter.region(bitmap.table().bytes(), bitmap.tableEntries() * 8);
    var tables = new BitmapTables(file, geometry, reader);
    boolean sound =
        tables.entries(
            bitmap,
            offset -> {
              if (offset != 0) {
                counter.region(offset, geometry.clusterBytes());
              }
            });
    if (!sound) {
      tally.silentCorruption();
      throw BlockFault.of(Errno.EINVAL, "Check failed");
    }
    tally.step(0);
  }

  private void refcountBlocks() throws BlockFault {
    for (int i = 0; i < stored.tableEntries() && !tally.odd(); i++) {
      long entry = stored.tableEntry(i);
      long offset = entry & RefcountBlock.TABLE_OFFSET_MASK;
      if ((entry & ~RefcountBlock.TABLE_OFFSET_MASK) != 0) {
        tally.corruption("ERROR refcount table entry " + i + " has reserved bits set");
      } else if (geometry.inCluster(offset) != 0) {
        tally.corruption(
            "ERROR refcount block "
                + i
                + " is not cluster aligned; refcount table entry corrupted");
      } else if (offset >>> geometry.clusterBits() >= references.clusters()) {
        tally.corruption("ERROR refcount block " + i + " is outside image");
      } else if (offset != 0) {
        counter.region(offset, geometry.clusterBytes());
        long count = references.get(offset >>> geometry.clusterBits());
        if (count != 1) {
          tally.corruption("ERROR refcount block " + i + " refcount=" + count);
        }
      }
    }
  }

  /** Looks for wrong "copied" flags of the active tables and names them. */
  void copiedFlags(Tally tally) throws BlockFault {
    long stop = Math.clamp((file.storedLength() - header.l1Table() + 7) / 8, 0, header.l1Entries());
    long[] piece = new long[(int) Math.min(PIECE, stop)];
    var flags = new CopiedFlags(geometry, stored, tally, reader);
    for (long at = 0; at < stop; at += piece.length) {
      int count = (int) Math.min(piece.length, stop - at);
      reader.read(header.l1Table() + at * 8, piece, count);
      for (int i = 0; i < count; i++) {
        flags.l1Entry(at + i, piece[i]);
      }
      tally.step(0);
    }
  }

  @Override
  public void close() {
    reader.close();
  }
}
