package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.format.qcow2.layout.BitmapDirectory;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.HeaderExtension;
import hawser.block.format.qcow2.layout.L1Entry;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.block.format.qcow2.layout.Qcow2Limits;
import hawser.block.format.qcow2.layout.Snapshot;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Guards metadata against being overwritten because some table is damaged: before a write, the
 * target must not be in use for anything else. What is checked follows QEMU's {@code
 * overlap-check}.
 */
final class Overlaps {
  /** What a part of the file holds; the names are QEMU's, the order is that of the templates. */
  enum Structure {
    MAIN_HEADER("qcow2_header"),
    ACTIVE_L1("active L1 table"),
    REFCOUNT_TABLE("refcount table"),
    SNAPSHOT_TABLE("snapshot table"),
    BITMAP_DIRECTORY("bitmap directory"),
    ACTIVE_L2("active L2 table"),
    REFCOUNT_BLOCK("refcount block"),
    INACTIVE_L1("inactive L1 table"),
    INACTIVE_L2("inactive L2 table");

    private final String words;

    Structure(String words) {
      this.words = words;
    }

    /** The flag of {@code overlap-check} for it. */
    String option() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /** What a template guards; each guards what the ones before it do. May be changed. */
  static Set<Structure> template(String name) throws BlockFault {
    return switch (name) {
      case "none" -> EnumSet.noneOf(Structure.class);
      case "constant" -> EnumSet.range(Structure.MAIN_HEADER, Structure.BITMAP_DIRECTORY);
      case "cached" -> EnumSet.range(Structure.MAIN_HEADER, Structure.INACTIVE_L1);
      case "all" -> EnumSet.allOf(Structure.class);
      default ->
          throw new BlockFault(
              Errno.EINVAL,
              "Unsupported value '%s' for qcow2 option 'overlap-check'.".formatted(name)
                  + " Allowed are any of the following: none, constant, cached, all");
    };
  }

  /** Clusters {@code first} up to {@code end}, which is not included. */
  private record Area(Structure structure, long first, long end) {}

  private final Geometry geometry;
  private final Damage damage;
  private final Set<Structure> checks;
  private final ReentrantLock mutex;
  private final ClusterSet l2Tables = new ClusterSet();
  private final ClusterSet refcountBlocks = new ClusterSet();
  private final ClusterSet inactiveL2Tables = new ClusterSet();
  private volatile List<Area> areas = List.of();

  Overlaps(Image image) throws BlockFault {
    this.geometry = image.geometry;
    this.damage = image.damage;
    this.checks = image.options.overlapChecks();
    this.mutex = image.tables.mutex();
    var list = new ArrayList<Area>();
    add(list, Structure.MAIN_HEADER, 0, geometry.clusterBytes());
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
      if (checks.contains(Structure.INACTIVE_L2)) {
        addL2TablesOf(snapshot, image.file);
      }
    }
    header
        .extensions()
        .last(HeaderExtension.Bitmaps.class)
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
    if (checks.isEmpty() || bytes == 0) {
      return null;
    }
    long first = at >>> geometry.clusterBits();
    long last = (at + bytes - 1) >>> geometry.clusterBits();
    for (Area area : areas) {
      if (first < area.end && last >= area.first && guards(area.structure, own)) {
        return area.structure;
      }
    }
    for (long cluster = first; cluster <= last; cluster++) {
      if (guards(Structure.ACTIVE_L2, own) && l2Tables.contains(cluster)) {
        return Structure.ACTIVE_L2;
      }
      if (guards(Structure.REFCOUNT_BLOCK, own) && refcountBlocks.contains(cluster)) {
        return Structure.REFCOUNT_BLOCK;
      }
      if (guards(Structure.INACTIVE_L2, own) && inactiveL2Tables.contains(cluster)) {
        return Structure.INACTIVE_L2;
      }
    }
    return null;
  }

  private boolean guards(Structure structure, @Nullable Structure own) {
    return structure != own && checks.contains(structure);
  }

  /** A snapshot's tables do not change while the image is open. */
  private void addL2TablesOf(Snapshot snapshot, HostFile file) throws BlockFault {
    long entries = snapshot.l1Entries();
    if (entries > Qcow2Limits.L1_BYTES_MAX / 8) {
      throw new BlockFault(Errno.EFBIG, "Snapshot L1 table too large");
    }
    L1Table l1 = L1Table.read(file, snapshot.l1Table(), (int) entries);
    for (int i = 0; i < l1.count(); i++) {
      inactiveL2Tables.add(L1Entry.offset(l1.get(i)) >>> geometry.clusterBits());
    }
  }
}
