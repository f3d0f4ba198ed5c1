package hawser.block.format.qcow2;

import java.util.Arrays;

/**
 * A set of cluster numbers other than 0. Changes need the image's mutex; {@link #contains} may be
 * called without it and can then be wrong while another thread changes the set.
 */
final class ClusterSet {
  private volatile long[] table = new long[64];
  private int count;

  private static int slot(long[] table, long cluster) {
    long mixed = cluster * 0x9e3779b97f4a7c15L;
    return (int) (mixed >>> 32) & (table.length - 1);
  }

  boolean contains(long cluster) {
    long[] now = table;
    int at = slot(now, cluster);
    for (int i = 0; i < now.length; i++) {
      long there = now[at];
      if (there == cluster) {
        return cluster != 0;
      }
      if (there == 0) {
        return false;
      }
      at = (at + 1) & (now.length - 1);
    }
    return false;
  }

  void add(long cluster) {
    if (cluster == 0 || contains(cluster)) {
      return;
    }
    if (count * 2 >= table.length) {
      long[] bigger = new long[table.length * 2];
      for (long one : table) {
        if (one != 0) {
          put(bigger, one);
        }
      }
      table = bigger;
    }
    put(table, cluster);
    count++;
  }

  private static void put(long[] table, long cluster) {
    int at = slot(table, cluster);
    while (table[at] != 0) {
      at = (at + 1) & (table.length - 1);
    }
    table[at] = cluster;
  }

  void remove(long cluster) {
    if (!contains(cluster)) {
      return;
    }
    // Rebuilding is rare and keeps the probing simple: tables are seldom given back.
    long[] fresh = new long[table.length];
    for (long one : Arrays.copyOf(table, table.length)) {
      if (one != 0 && one != cluster) {
        put(fresh, one);
      }
    }
    table = fresh;
    count--;
  }
}
