package hawser.block.format.qcow2.check;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.BlockNode;
import hawser.block.CheckReport;
import hawser.block.format.qcow2.layout.Flaw;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.block.format.qcow2.layout.Qcow2Limits;
import hawser.block.format.qcow2.layout.Snapshot;
import hawser.block.format.qcow2.layout.SnapshotTable;
import java.util.List;

/**
 * Checks a qcow2 image: walks every reference, counts it, and compares with the stored refcounts
 * ("Refcounts"). Only reads, and only the file it is given: no backing file, no data file. What is
 * found, in which order and in which words is QEMU 10.0's {@code qemu-img check}. An image may be
 * hostile: memory is bounded by {@link CheckLimits}.
 *
 * <p>The image must not be written meanwhile. One object serves one check, on one thread, which
 * starts others while it runs.
 */
public final class Qcow2Check {
  /** Bytes of extra data that every snapshot of a version 3 image must have. */
  private static final int SNAPSHOT_EXTRA_BYTES_V3 = 16;

  private static final long SECTOR = 512;

  private final PaddedFile file;
  private final Qcow2Header header;
  private final Geometry geometry;
  private final CheckListener listener;
  private final CheckLimits limits;
  private long incompleteSnapshots;

  private Qcow2Check(BlockNode file, Qcow2Header header, CheckListener listener, CheckLimits limits)
      throws BlockFault {
    this.file = new PaddedFile(file);
    this.header = header;
    this.geometry = header.geometry();
    this.listener = listener;
    this.limits = limits;
  }

  /**
   * Checks the image in a file.
   *
   * @throws BlockFault when the image cannot be opened at all, with QEMU's words, or when the check
   *     could not go to its end ({@code Check failed: why})
   */
  public static CheckReport run(BlockNode file, CheckListener listener, CheckLimits limits)
      throws BlockFault {
    return run(file, Qcow2Header.read(file), listener, limits);
  }

  /** As above, of an image whose header was read before. */
  public static CheckReport run(
      BlockNode file, Qcow2Header header, CheckListener listener, CheckLimits limits)
      throws BlockFault {
    judge(header);
    judgeBitmaps(file, header);
    return new Qcow2Check(file, header, listener, limits).run();
  }

  /**
   * Counts all references, for a writer that builds refcounts anew ("Dirty bit"). The refcount
   * table and its blocks count as they are now. The stored refcounts themselves are not looked at.
   *
   * @throws BlockFault EIO when a table entry is corrupt, so that the counts would not be the truth
   */
  public static References references(BlockNode file, Qcow2Header header, CheckLimits limits)
      throws BlockFault {
    judge(header);
    var check = new Qcow2Check(file, header, CheckListener.SILENT, limits);
    SnapshotTable snapshots = check.snapshots();
    var tally = new Tally(CheckListener.SILENT, false);
    try (var stored = new StoredRefcounts(check.file, header);
        var walk = new Walk(check.file, header, snapshots, stored, limits, tally)) {
      walk.run();
      if (!tally.clean()) {
        throw new BlockFault(Errno.EIO, "Could not repair dirty image: Input/output error");
      }
      return walk.references();
    }
  }

  /**
   * Judges the persistent bitmaps and their tables as QEMU does whenever it opens an image.
   *
   * @throws BlockFault EINVAL with QEMU's words for the first flaw
   */
  public static void judgeBitmaps(BlockNode file, Qcow2Header header) throws BlockFault {
    BitmapTables.judge(new PaddedFile(file), header);
  }

  private static void judge(Qcow2Header header) throws BlockFault {
    for (Flaw flaw : header.flaws()) {
      if (flaw.blocks() == Flaw.Blocks.OPENING) {
        throw flaw.fault();
      }
    }
  }

  private CheckReport run() throws BlockFault {
    SnapshotTable snapshots = snapshots();
    try (var stored = new StoredRefcounts(file, header)) {
      var quick = new Tally(listener, true);
      try (var walk = new Walk(file, header, snapshots, stored, limits, quick)) {
        walk.run();
        if (!quick.odd()) {
          var tally = quick.loud();
          long end = new Comparison(walk.references(), stored, tally).run();
          if (!walk.copiedRight()) {
            walk.copiedFlags(tally);
          }
          return result(tally, end);
        }
      }
      var tally = new Tally(listener, false);
      try (var walk = new Walk(file, header, snapshots, stored, limits, tally)) {
        walk.run();
        long end = new Comparison(walk.references(), stored, tally).run();
        walk.copiedFlags(tally);
        return result(tally, end);
      }
    }
  }

  private CheckReport result(Tally tally, long highestCluster) {
    long disk = header.size() & -SECTOR;
    tally.addCorruptions(incompleteSnapshots);
    return tally.result((highestCluster + 1) << geometry.clusterBits(), geometry.clustersFor(disk));
  }

  /** The snapshot table, judged as QEMU judges it at the start of a check. */
  private SnapshotTable snapshots() throws BlockFault {
    for (Flaw flaw : header.flaws()) {
      if (flaw.text().startsWith("Snapshot table")) {
        listener.line("qemu-img: ERROR s" + flaw.text().substring(1));
        if (header.snapshotCount() > Qcow2Limits.SNAPSHOTS_MAX) {
          overhanging(header.snapshotCount() - Qcow2Limits.SNAPSHOTS_MAX);
        }
        throw BlockFault.of(flaw.errno(), "Check failed");
      }
    }
    SnapshotTable table = SnapshotTable.read(file, header);
    if (!table.flaws().isEmpty()) {
      throw unreadable(table);
    }
    List<Snapshot> all = table.snapshots();
    for (int i = 0; i < all.size() && header.version() >= 3; i++) {
      if (all.get(i).extra().length() < SNAPSHOT_EXTRA_BYTES_V3) {
        incompleteSnapshots++;
        listener.line("ERROR snapshot table entry " + i + " is incomplete");
      }
    }
    return table;
  }

  private BlockFault unreadable(SnapshotTable table) {
    Flaw flaw = table.flaws().getFirst();
    listener.line("qemu-img: ERROR failed to read the snapshot table: " + flaw.text());
    if (flaw.text().startsWith("Too much")) {
      listener.line("You can force-remove this extra metadata with qemu-img check -r all");
    } else {
      overhanging(header.snapshotCount() - table.snapshots().size());
    }
    return BlockFault.of(flaw.errno(), "Check failed");
  }

  private void overhanging(long count) {
    listener.line(
        "You can force-remove all %d overhanging snapshots with qemu-img check -r all"
            .formatted(count));
  }
}
