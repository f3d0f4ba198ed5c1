package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.BlkdebugEvent;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.Qcow2Limits;

/**
 * Finds free clusters and takes them. Needs the image's mutex.
 *
 * <p>The search starts where the last one ended, or at the lowest cluster freed since. A refcount
 * block is placed in the first cluster that it counts: where there was none, everything it counts
 * is free.
 */
final class Allocator {
  /** Clusters that lie together. */
  record Taken(long first, int count, boolean fresh) {}

  private final HostFile file;
  private final Geometry geometry;
  private final Refcounts refcounts;
  private final Overlaps overlaps;
  private final Damage damage;
  private final RefcountTableGrowth growth;
  private long hint;
  private long freshFrom;
  private long highest;
  private boolean pastEverything;
  private long packedEnd;

  Allocator(Image image, Refcounts refcounts, Overlaps overlaps) {
    this.file = image.file;
    this.geometry = image.geometry;
    this.refcounts = refcounts;
    this.overlaps = overlaps;
    this.damage = image.damage;
    this.growth = new RefcountTableGrowth(image, refcounts, overlaps, this);
    this.freshFrom = geometry.clustersFor(image.file.length());
  }

  /** A cluster became free. */
  void freed(long cluster) {
    hint = Math.min(hint, cluster);
    if (packedEnd > 0 && (packedEnd - 1) >>> geometry.clusterBits() == cluster) {
      packedEnd = 0;
    }
  }

  /** Where compressed data ended last, bytes; 0 when the room behind it must not be used. */
  long packedEnd() {
    return packedEnd;
  }

  void packedEnd(long end) {
    packedEnd = end;
  }

  /** The end of the last cluster that was ever taken here, bytes. */
  long highestEnd() {
    return highest << geometry.clusterBits();
  }

  /**
   * While refcounts cannot be trusted, nothing below {@code cluster} is taken.
   *
   * @param cluster the first one that nobody refers to, nor any behind it
   */
  void onlyFrom(long cluster) {
    hint = Math.max(hint, cluster);
    pastEverything = true;
  }

  /** Refcounts can be trusted again. */
  void anywhere() {
    hint = 0;
    pastEverything = false;
  }

  /** Takes one to {@code wanted} clusters: the first free ones that lie together. */
  Taken takeUpTo(int wanted) throws BlockFault {
    return take(wanted, false, "cluster");
  }

  /**
   * Takes exactly {@code wanted} clusters that lie together.
   *
   * @param what is to lie there, for a message
   */
  Taken takeAll(int wanted, String what) throws BlockFault {
    return take(wanted, true, what);
  }

  private Taken take(int wanted, boolean all, String what) throws BlockFault {
    file.event(BlkdebugEvent.CLUSTER_ALLOC);
    long first = hint;
    int count = 0;
    while (count < wanted) {
      long next = first + count;
      refuseTooFar(next);
      if (ensureCounted(next) || refcounts.get(next) != 0) {
        // In use, or just taken for the refcount block itself: a run ends here.
        if (count > 0 && !all) {
          break;
        }
        first = next + 1;
        count = 0;
      } else {
        count++;
      }
    }
    if (first == 0) {
      throw damage.found("Preventing invalid allocation of " + what + " at offset 0");
    }
    overlaps.check(first << geometry.clusterBits(), (long) count << geometry.clusterBits(), null);
    for (int i = 0; i < count; i++) {
      refcounts.set(first + i, 1);
    }
    hint = first + count;
    return new Taken(first, count, noteTaken(first, count));
  }

  private void refuseTooFar(long cluster) throws BlockFault {
    if (cluster >= Qcow2Limits.HOST_OFFSET_END >>> geometry.clusterBits()) {
      throw BlockFault.of(Errno.EFBIG, "no host offset is left");
    }
  }

  /** Whether these clusters were never written: they read as zeroes once the file has them. */
  boolean noteTaken(long first, long count) {
    boolean fresh = first >= freshFrom;
    freshFrom = Math.max(freshFrom, first + count);
    highest = Math.max(highest, first + count);
    return fresh;
  }

  /**
   * Makes sure that a refcount block counts this cluster.
   *
   * @return whether the cluster itself was taken for that block
   */
  boolean ensureCounted(long cluster) throws BlockFault {
    if (refcounts.counted(cluster)) {
      return false;
    }
    long block = refcounts.blockOf(cluster);
    if (block >= refcounts.table().count()) {
      growth.grow(cluster);
      return true;
    }
    file.event(BlkdebugEvent.REFBLOCK_ALLOC);
    placeBlock(block, cluster);
    return true;
  }

  private void placeBlock(long block, long cluster) throws BlockFault {
    long at = cluster << geometry.clusterBits();
    overlaps.check(at, geometry.clusterBytes(), null);
    refcounts.addBlock(block, at);
    refcounts.set(cluster, 1);
    noteTaken(cluster, 1);
  }

  /**
   * As {@link #ensureCounted}, for a cluster that is in use although nothing counts it: the block
   * goes elsewhere.
   */
  void countUsed(long cluster) throws BlockFault {
    if (!pastEverything) {
      throw new AssertionError("used clusters are uncounted only while refcounts are rebuilt");
    }
    if (refcounts.counted(cluster)) {
      return;
    }
    long block = refcounts.blockOf(cluster);
    if (block >= refcounts.table().count()) {
      growth.grow(Math.max(hint, refcounts.firstOf(refcounts.table().count())));
    }
    if (refcounts.counted(cluster)) {
      return;
    }
    if (refcounts.blockOf(hint) == block) {
      placeBlock(block, hint++);
      return;
    }
    Taken place = take(1, true, "refcount block");
    refcounts.addBlock(block, place.first() << geometry.clusterBits());
  }
}
