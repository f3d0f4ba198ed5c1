package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.block.format.qcow2.layout.Geometry;

/**
 * Clusters that no table points to any more, on their way to being free. Needs the image's mutex.
 *
 * <p>First the change of the tables must be durable, or a crash would bring back an entry whose
 * cluster holds something else. Then every request that may have looked up the old entry must have
 * left. Only then the refcount goes down and the cluster can be taken again.
 */
final class FreedClusters {
  /** So many may wait before metadata is written back for their sake. */
  static final int WAITING_MAX = 4096;

  private final HostFile file;
  private final Geometry geometry;
  private final DataEpochs epochs;
  private final Refcounts refcounts;
  private final Allocator allocator;
  private final boolean passDiscards;
  private ClusterList waiting = new ClusterList();
  private ClusterList leaving = new ClusterList();
  private int ticket;

  FreedClusters(Image image, Refcounts refcounts, Allocator allocator) {
    this.file = image.file;
    this.geometry = image.geometry;
    this.epochs = image.epochs;
    this.refcounts = refcounts;
    this.allocator = allocator;
    this.passDiscards = image.options.passDiscards();
  }

  /** One reference to the cluster at an offset was taken out of the tables. */
  void add(long at) {
    waiting.add(at >>> geometry.clusterBits());
  }

  /** References to every cluster that compressed data touches. */
  void addCompressed(long entry) {
    long start = geometry.compressedOffset(entry);
    long end = start + geometry.compressedBytes(entry);
    long cluster = start >>> geometry.clusterBits();
    while (cluster << geometry.clusterBits() < end) {
      waiting.add(cluster++);
    }
  }

  /** Whether so many wait that it is time to write the tables. */
  boolean many() {
    return waiting.count() >= WAITING_MAX;
  }

  boolean any() {
    return waiting.count() + leaving.count() > 0;
  }

  /** Every change of the tables so far is durable. */
  void tablesDurable() throws BlockFault {
    if (leaving.count() > 0) {
      if (!epochs.drained(ticket)) {
        return;
      }
      release();
    }
    if (waiting.count() > 0) {
      ClusterList now = waiting;
      waiting = leaving;
      leaving = now;
      ticket = epochs.advance();
      if (epochs.drained(ticket)) {
        release();
      }
    }
  }

  private void release() throws BlockFault {
    long[] clusters = leaving.sorted();
    leaving.clear();
    long runStart = -1;
    long runEnd = -1;
    for (long cluster : clusters) {
      if (refcounts.decrement(cluster) != 0) {
        continue;
      }
      allocator.freed(cluster);
      if (cluster != runEnd) {
        discard(runStart, runEnd);
        runStart = cluster;
      }
      runEnd = cluster + 1;
    }
    discard(runStart, runEnd);
  }

  private void discard(long first, long end) throws BlockFault {
    if (passDiscards && first >= 0) {
      long at = first << geometry.clusterBits();
      long bytes = Math.min((end - first) << geometry.clusterBits(), file.length() - at);
      if (bytes > 0) {
        file.node().discard(at, bytes);
      }
    }
  }
}
