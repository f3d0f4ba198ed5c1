package hawser.fuzz;

import hawser.testkit.node.MemoryNode;
import java.util.Arrays;

/**
 * L2 entries and compressed data: the input goes over an L2 table and the data behind it of an
 * otherwise sound image. The first byte chooses the image.
 */
public final class MappingTarget {
  /** The cluster of the first L2 table in a {@link SeedImage}. */
  private static final int L2_CLUSTER = 4;

  private static final byte[][] IMAGES = {
    SeedImage.full(), SeedImage.plain(), SeedImage.subclusters()
  };
  private static final int[] CLUSTER_BYTES = {512, 4096, 16384};

  private MappingTarget() {}

  /** Tries one table. */
  public static void fuzzerTestOneInput(byte[] input) {
    if (input.length == 0) {
      return;
    }
    int choice = (input[0] & 0xff) % IMAGES.length;
    byte[] entries = Arrays.copyOfRange(input, 1, input.length);
    MemoryNode file = MemoryDriver.file(IMAGES[choice]);
    int at = L2_CLUSTER * CLUSTER_BYTES[choice];
    MemoryDriver.put(file, at, entries, Math.min(entries.length, IMAGES[choice].length - at));
    ImageTarget.tryAll(file);
  }
}
