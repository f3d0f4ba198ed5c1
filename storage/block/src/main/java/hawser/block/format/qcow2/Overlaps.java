package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.block.format.qcow2.layout.BitmapDirectory;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.HeaderExtension;
import hawser.block.format.qcow2.layout.L1Entry;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.block.format.qcow2.layout.Snapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Guards metadata against being overwritten because some table is damaged: before a write, the
 * target must not be in use for anything else. What is checked follows QEMU's {@code
 * overlap-check}.
 */
final class Overlaps {
  /** What a part of the file holds; the names are QEMU's. */
  enum Structure {
    HEADER("qcow2_header"),
    ACTIVE_L1("active L1 table"),
    ACTIVE_L2("active L2 table"),
    REFCOUNT_TABLE("refcount table"),
    REFCOUNT_BLOCK("refcount block"),
    SNAPSHOT_TABLE("snapshot table"),
    INACTIVE_L1("inactive L1 table"),
    BITMAP_DIRECTORY("bitmap directory");

    private final String words;

    Structure(String words) {
      this.words = words;
    }
  }

  /** Clusters {@code first} up to {@code end}, which is not included. */
  private record Area(Structure structure, long first, long end) {}

  private final Geometry geometry;
  private final Damage damage;
  private final OpenOptions.OverlapChecks checks;
  private final ReentrantLock mutex;
  private final ClusterSet l2Tables = new ClusterSet();
  private final ClusterSet refcountBlocks = new ClusterSet();
  private volatile List<Area> areas = List.of();

  Overlaps(Image image) {
    this.geometry = image.geometry;
    this.damage = image.damage;
    this.checks = image.options.overlapChecks();
    this.mutex = image.tables.mutex();
    var list = new ArrayList<Area>();
    add(list, Structure.HEADER, 0, geometry.clusterBytes());
    Qcow2Header header = image.header();
    add(list, Structure.ACTIVE_L1, header.l1Table(), header.l1Entries() * 8);
    add(
        list,
        Structure.REFCOUNT_TABLE,
        header.refcountTable(),
        header.refcountTableClusters() * geometry.clusterBytes());
    add(list, Structure.SNAPSHOT_TABLE, header.snapshotTable(), image.snapshots.bytes());
    for (Snapshot snapshot : image.snapshots.snapshots()) {
      add(list, Structure.INACTIVE_L1, snapshot.l1Table(), snapshot.l1Entries() * 8);
    }
    header
        .extensions()
        .first(HeaderExtension.Bitmaps.class)
        .filter(bitmaps -> BitmapDirectory.trusted(header))
        .ifPresent(
            bitmaps ->
                add(
                    list,
                    Structure.BITMAP_DIRECTORY,
                    bitmaps.directory().bytes(),
                    bitmaps.directoryBytes()));
    areas = List.copyOf(list);
    L1Table l1 = image.tables.mapping().l1();
    for (int i = 0; i < l1.count(); i++) {
      l2Tables.add(L1Entry.offset(l1.get(i)) >>> geometry.clusterBits());
    }
  }

  private void add(List<Area> list, Structure structure, long at, long bytes) {
    if (bytes > 0) {
      long first = at >>> geometry.clusterBits();
      list.add(new Area(structure, first, first + geometry.clustersFor(bytes)));
    }
  }

  /** An L1 table or refcount table moved. Needs the mutex. */
  void moved(Structure structure, long at, long bytes) {
    var list = new ArrayList<Area>();
    for (Area area : areas) {
      if (area.structure != structure) {
        list.add(area);
      }
    }
    add(list, structure, at, bytes);
    areas = List.copyOf(list);
  }

  void addL2Table(long at) {
    l2Tables.add(at >>> geometry.clusterBits());
  }

  void removeL2Table(long at) {
    l2Tables.remove(at >>> geometry.clusterBits());
  }

  void removeRefcountBlock(long at) {
    refcountBlocks.remove(at >>> geometry.clusterBits());
  }

  void addRefcountBlock(long at) {
    refcountBlocks.add(at >>> geometry.clusterBits());
  }

  /**
   * Checks a write.
   *
   * @param own what is meant to be written there, or null for data and new clusters
   */
  void check(long at, long bytes, @Nullable Structure own) throws BlockFault {
    Structure hit = hit(at, bytes, own);
    if (hit == null) {
      return;
    }
    mutex.lock();
    try {
      hit = hit(at, bytes, own);
      if (hit != null) {
        throw damage.found(
            "Preventing invalid write on metadata (overlaps with %s)".formatted(hit.words));
      }
    } finally {
      mutex.unlock();
    }
  }

  private @Nullable Structure hit(long at, long bytes, @Nullable Structure own) {
    if (checks == OpenOptions.OverlapChecks.NONE || bytes == 0) {
      return null;
    }
    long first = at >>> geometry.clusterBits();
    long last = (at + bytes - 1) >>> geometry.clusterBits();
    for (Area area : areas) {
      if (area.structure != own && first < area.end && last >= area.first && guarded(area)) {
        return area.structure;
      }
    }
    if (checks == OpenOptions.OverlapChecks.CONSTANT) {
      return null;
    }
    for (long cluster = first; cluster <= last; cluster++) {
      if (own != Structure.ACTIVE_L2 && l2Tables.contains(cluster)) {
        return Structure.ACTIVE_L2;
      }
      if (own != Structure.REFCOUNT_BLOCK && refcountBlocks.contains(cluster)) {
        return Structure.REFCOUNT_BLOCK;
      }
    }
    return null;
  }

  private boolean guarded(Area area) {
    return area.structure != Structure.INACTIVE_L1 || checks != OpenOptions.OverlapChecks.CONSTANT;
  }
}
