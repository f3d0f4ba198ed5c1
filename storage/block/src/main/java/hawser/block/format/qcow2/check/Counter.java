package hawser.block.format.qcow2.check;

import hawser.base.BlockFault;

/** Counts references to regions of the file, within QEMU's bounds. Used by one thread. */
final class Counter {
  private final References references;
  private final Tally tally;
  private final long fileLength;
  private final int clusterBits;

  Counter(References references, Tally tally, long fileLength, int clusterBits) {
    this.references = references;
    this.tally = tally;
    this.fileLength = fileLength;
    this.clusterBits = clusterBits;
  }

  /** Counts a reference to every cluster that the region touches. */
  void region(long offset, long size) throws BlockFault {
    if (size <= 0) {
      return;
    }
    if (exceeds(offset, size, fileLength, clusterBits)) {
      tally.corruption(
          ("ERROR: counting reference for region exceeding the end of the file by one cluster or"
                  + " more: offset 0x%x size 0x%x")
              .formatted(offset, size));
      return;
    }
    long first = offset >>> clusterBits;
    long last = (offset + size - 1) >>> clusterBits;
    if (first <= last) {
      references.add(first, last, cluster -> tally.overflow(cluster, clusterBits));
    }
  }

  /**
   * Whether a region ends a whole cluster or more behind the end of the file. Less is allowed: the
   * last cluster may be stored in part.
   */
  static boolean exceeds(long offset, long size, long fileLength, int clusterBits) {
    return offset + size - fileLength >= 1L << clusterBits;
  }
}
