package hawser.block;

/**
 * What a check of an image found; QAPI's ImageCheck. Counts of 0 were not met or are not kept.
 *
 * @param checkErrors errors that kept the check from looking at everything
 * @param corruptions errors that may lose data
 * @param leaks clusters that nobody refers to
 * @param corruptionsFixed repaired
 * @param leaksFixed repaired
 * @param imageEndOffset where the last used cluster ends, bytes
 * @param totalClusters of the guest's disk
 * @param allocatedClusters of those, stored
 * @param fragmentedClusters of those, not behind their predecessor
 * @param compressedClusters of those, compressed
 */
public record CheckReport(
    long checkErrors,
    long corruptions,
    long leaks,
    long corruptionsFixed,
    long leaksFixed,
    long imageEndOffset,
    long totalClusters,
    long allocatedClusters,
    long fragmentedClusters,
    long compressedClusters) {}
