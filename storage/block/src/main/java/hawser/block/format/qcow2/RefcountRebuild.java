package hawser.block.format.qcow2;

import static hawser.base.Wire.BE64;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.HeaderExtension;
import hawser.block.format.qcow2.layout.IncompatibleFeature;
import hawser.block.format.qcow2.layout.L1Entry;
import hawser.block.format.qcow2.layout.L2Entry;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.block.format.qcow2.layout.Snapshot;
import hawser.block.format.qcow2.layout.StoredBitmap;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Sets every refcount to the number of references that there are, for an image whose dirty bit says
 * that they cannot be trusted ("Lazy refcounts"). Refcounts are raised before any is lowered, and
 * the dirty bit goes last, so that a crash in between only means to start again.
 */
final class RefcountRebuild {
  /** Half of what an image may have: 2^28 clusters are 16 TiB of file with 64 KiB clusters. */
  private static final long CLUSTERS_MAX = 1L << 28;

  private final Writing writing;
  private final Image image;
  private final HostFile file;
  private final Geometry geometry;
  private final long clusters;
  private final int[] references;

  RefcountRebuild(Writing writing) throws BlockFault {
    this.writing = writing;
    this.image = writing.image;
    this.file = image.file;
    this.geometry = image.geometry;
    this.clusters = geometry.clustersFor(file.length());
    if (clusters > CLUSTERS_MAX) {
      throw new BlockFault(Errno.EFBIG, "Could not repair dirty image: File too large");
    }
    this.references = new int[(int) clusters];
  }

  /** Needs the mutex. */
  void run() throws BlockFault {
    count();
    refuseOverflow();
    Allocator allocator = writing.allocator;
    allocator.onlyFrom(clusters);
    for (long cluster = 0; cluster < clusters; cluster++) {
      int wanted = references[(int) cluster];
      if (wanted > 0 && Long.compareUnsigned(wanted, writing.refcounts.get(cluster)) > 0) {
        allocator.countUsed(cluster);
        writing.refcounts.set(cluster, wanted);
      }
    }
    writing.writeBack.refcounts();
    for (long cluster = 0; cluster < clusters; cluster++) {
      // Blocks made above lie behind the clusters counted here.
      if (writing.refcounts.get(cluster) != references[(int) cluster]) {
        writing.refcounts.set(cluster, references[(int) cluster]);
      }
    }
    writing.writeBack.refcounts();
    allocator.anywhere();
    Qcow2Header header = image.header();
    writing.features(header.incompatible() & ~IncompatibleFeature.DIRTY.mask(), header.autoclear());
  }

  /** Before anything is changed: a refcount cut to its width would free a cluster in use. */
  private void refuseOverflow() throws BlockFault {
    for (int cluster = 0; cluster < references.length; cluster++) {
      if (Long.compareUnsigned(references[cluster], geometry.refcountMax()) > 0) {
        throw new BlockFault(
            Errno.EIO,
            "Could not repair dirty image: cluster %d has %d references, a refcount holds %d"
                .formatted(cluster, references[cluster], geometry.refcountMax()));
      }
    }
  }

  private void count() throws BlockFault {
    Qcow2Header header = image.header();
    add(0, geometry.clusterBytes());
    RefcountTable table = writing.refcounts.table();
    add(table.at(), table.count() * 8);
    for (long i = 0; i < table.count(); i++) {
      if (table.block(i) != 0) {
        add(table.block(i), geometry.clusterBytes());
      }
    }
    add(header.snapshotTable(), image.snapshots.bytes());
    countMapping(header.l1Table(), header.l1Entries());
    for (Snapshot snapshot : image.snapshots.snapshots()) {
      countMapping(snapshot.l1Table(), snapshot.l1Entries());
    }
    countBitmaps(header);
  }

  private void add(long at, long bytes) throws BlockFault {
    if (bytes == 0) {
      return;
    }
    long first = at >>> geometry.clusterBits();
    long end = ((at + bytes - 1) >>> geometry.clusterBits()) + 1;
    for (long cluster = first; cluster < end; cluster++) {
      if (cluster >= clusters) {
        throw new BlockFault(
            Errno.EIO,
            "Could not repair dirty image: cluster %d lies past the end of the file"
                .formatted(cluster));
      }
      references[(int) cluster]++;
    }
  }

  private void countMapping(long l1Table, long entries) throws BlockFault {
    add(l1Table, entries * 8);
    L1Table l1 = L1Table.read(file, l1Table, (int) entries);
    try (var arena = Arena.ofConfined()) {
      MemorySegment l2 = arena.allocate(geometry.clusterBytes(), 4096);
      for (int i = 0; i < l1.count(); i++) {
        long at = L1Entry.offset(l1.get(i));
        if (at != 0) {
          add(at, geometry.clusterBytes());
          file.read(l2, at);
          countClusters(l2);
        }
      }
    }
  }

  private void countClusters(MemorySegment l2) throws BlockFault {
    for (long at = 0; at < l2.byteSize(); at += geometry.l2EntryBytes()) {
      long entry = l2.get(BE64, at);
      if ((entry & L2Entry.COMPRESSED) != 0) {
        add(geometry.compressedOffset(entry), geometry.compressedBytes(entry));
      } else if ((entry & L2Entry.OFFSET_MASK) != 0 && !geometry.dataFile()) {
        add(entry & L2Entry.OFFSET_MASK, geometry.clusterBytes());
      }
    }
  }

  private void countBitmaps(Qcow2Header header) throws BlockFault {
    var extension = header.extensions().last(HeaderExtension.Bitmaps.class);
    if (extension.isEmpty()) {
      return;
    }
    add(extension.get().directory().bytes(), extension.get().directoryBytes());
    for (StoredBitmap bitmap :
        hawser.block.format.qcow2.layout.BitmapDirectory.read(file.node(), header).bitmaps()) {
      add(bitmap.table().bytes(), bitmap.tableEntries() * 8);
      try (var arena = Arena.ofConfined()) {
        MemorySegment table = arena.allocate(bitmap.tableEntries() * 8, 8);
        file.read(table, bitmap.table().bytes());
        for (long i = 0; i < bitmap.tableEntries(); i++) {
          long at = table.get(BE64, i * 8) & StoredBitmap.OFFSET_MASK;
          if (at != 0) {
            add(at, geometry.clusterBytes());
          }
        }
      }
    }
  }
}
