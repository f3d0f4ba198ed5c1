package hawser.block.format.qcow2;

import hawser.block.Preallocation;
import hawser.block.format.qcow2.layout.Geometry;

/**
 * Where everything lies in a new image: header, refcount table, refcount blocks, L1 table, and with
 * preallocation L2 tables and data, in this order without gaps. All numbers are clusters.
 *
 * @param table of the refcount table
 * @param blocks of refcount blocks
 * @param l1 of the L1 table
 * @param l2 of L2 tables
 * @param data of data
 */
record NewLayout(long table, long blocks, long l1, long l2, long data) {
  static NewLayout of(Qcow2Options options) {
    Geometry geometry = options.geometry();
    long l1Entries = geometry.l1EntriesFor(options.size());
    boolean mapped = options.preallocation() != Preallocation.OFF;
    long l1 = geometry.clustersFor(l1Entries * 8);
    long l2 = mapped ? l1Entries : 0;
    long data = mapped && !geometry.dataFile() ? geometry.clustersFor(options.size()) : 0;
    long[] refcounts = refcounts(geometry, 1 + l1 + l2 + data);
    return new NewLayout(refcounts[0], refcounts[1], l1, l2, data);
  }

  /**
   * How many clusters of refcount table and of refcount blocks count that many clusters and
   * themselves. Found by going on until nothing changes.
   */
  static long[] refcounts(Geometry geometry, long clusters) {
    long perBlock = 1L << geometry.refcountBlockBits();
    long blocksPerTable = geometry.refcountTableEntriesPerCluster();
    long table = 0;
    long blocks = 0;
    long last = -1;
    while (table + blocks != last) {
      last = table + blocks;
      blocks = -Math.floorDiv(-(clusters + table + blocks), perBlock);
      table = -Math.floorDiv(-blocks, blocksPerTable);
    }
    return new long[] {table, blocks};
  }

  long tableAt() {
    return 1;
  }

  long blocksAt() {
    return tableAt() + table;
  }

  long l1At() {
    return blocksAt() + blocks;
  }

  long l2At() {
    return l1At() + l1;
  }

  long dataAt() {
    return l2At() + l2;
  }

  long end() {
    return dataAt() + data;
  }
}
