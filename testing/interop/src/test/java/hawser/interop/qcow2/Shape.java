package hawser.interop.qcow2;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * One kind of image: the options it is created with and what lies beneath it.
 *
 * @param options the value of {@code -o}
 * @param clusterBytes its cluster size
 * @param backing whether it has a backing file
 * @param dataFile whether its data lies in another file
 * @param compressible whether clusters may be compressed
 */
record Shape(
    String options, int clusterBytes, boolean backing, boolean dataFile, boolean compressible) {

  /** A sample of the whole matrix: every value of every axis, combined by the seed. */
  static List<Shape> sample(long seed, int count) {
    var dice = new Random(seed);
    var shapes = new ArrayList<Shape>();
    int[] clusters = {512, 4096, 65536, 2 << 20};
    int[] widths = {1, 2, 4, 8, 16, 32, 64};
    for (int i = 0; i < count; i++) {
      boolean v3 = dice.nextInt(4) > 0;
      int cluster = clusters[i % clusters.length];
      int width = v3 ? widths[i % widths.length] : 16;
      boolean extended = v3 && cluster >= 16384 && dice.nextBoolean();
      boolean zstd = v3 && dice.nextBoolean();
      int below = dice.nextInt(4);
      boolean dataFile = v3 && below == 3;
      var options = new StringBuilder("compat=" + (v3 ? "1.1" : "0.10"));
      options.append(",cluster_size=").append(cluster);
      if (v3) {
        options.append(",refcount_bits=").append(width);
        options.append(",compression_type=").append(zstd ? "zstd" : "zlib");
        options.append(",extended_l2=").append(extended ? "on" : "off");
        options.append(",lazy_refcounts=").append(dice.nextInt(3) == 0 ? "on" : "off");
      }
      shapes.add(
          new Shape(options.toString(), cluster, below == 1 || below == 2, dataFile, !dataFile));
    }
    return shapes;
  }
}
