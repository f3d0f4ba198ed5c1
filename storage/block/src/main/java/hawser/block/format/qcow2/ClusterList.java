package hawser.block.format.qcow2;

import java.util.Arrays;

/** Numbers of clusters in the order in which they were added; a number may occur often. */
final class ClusterList {
  private long[] numbers = new long[16];
  private int count;

  void add(long cluster) {
    if (count == numbers.length) {
      numbers = Arrays.copyOf(numbers, count * 2);
    }
    numbers[count++] = cluster;
  }

  int count() {
    return count;
  }

  /** All of them in ascending order. */
  long[] sorted() {
    long[] copy = Arrays.copyOf(numbers, count);
    Arrays.sort(copy);
    return copy;
  }

  void clear() {
    count = 0;
  }
}
