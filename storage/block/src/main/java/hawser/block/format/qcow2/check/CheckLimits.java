package hawser.block.format.qcow2.check;

/**
 * What a check may use. An image that needs more ends it with a {@code BlockFault} of ENOMEM.
 *
 * @param memoryBytes for the counts of references, bytes; a count takes 1 byte, 5 from 255 on
 * @param threads that read mapping tables at the same time, 1 or more
 */
public record CheckLimits(long memoryBytes, int threads) {
  /** Most clusters of a file; QEMU counts them in a signed 32-bit number. */
  public static final long CLUSTERS_MAX = Integer.MAX_VALUE;

  /** More threads than this wait for one another rather than for the disk. */
  private static final int THREADS_MAX = 8;

  /** Half of the heap, and one thread for each processor. */
  public static CheckLimits standard() {
    Runtime runtime = Runtime.getRuntime();
    return new CheckLimits(
        runtime.maxMemory() / 2, Math.min(THREADS_MAX, runtime.availableProcessors()));
  }
}
