package hawser.block.format.qcow2.check;

/**
 * What a check found: QEMU's {@code ImageCheck}. Clusters are of the image's cluster size.
 *
 * @param corruptions places where data is, or may become, damaged
 * @param leaks clusters that nothing references and whose refcount is not zero, or too high
 * @param checkErrors places that could not be checked
 * @param imageEndOffset where the last cluster in use ends, bytes
 * @param totalClusters clusters of the virtual disk
 * @param allocatedClusters those of the active disk that are stored, compressed ones included
 * @param fragmentedClusters those stored elsewhere than behind the one before
 * @param compressedClusters those that are compressed
 */
public record CheckResult(
    long corruptions,
    long leaks,
    long checkErrors,
    long imageEndOffset,
    long totalClusters,
    long allocatedClusters,
    long fragmentedClusters,
    long compressedClusters) {

  /** Whether nothing at all was found. */
  public boolean clean() {
    return corruptions == 0 && leaks == 0 && checkErrors == 0;
  }
}
