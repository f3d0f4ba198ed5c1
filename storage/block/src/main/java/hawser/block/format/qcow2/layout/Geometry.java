package hawser.block.format.qcow2.layout;

/**
 * The arithmetic that follows from a header: how an offset splits into table indices, and how
 * entries are to be read. All sizes are bytes. Immutable.
 *
 * @param clusterBits log2 of the cluster size
 * @param extendedL2 whether L2 entries have 128 bits and clusters 32 subclusters
 * @param refcountOrder log2 of the refcount width in bits
 * @param version 2 or 3
 * @param dataFile whether guest data lies in an external file
 */
public record Geometry(
    int clusterBits, boolean extendedL2, int refcountOrder, int version, boolean dataFile) {

  static Geometry of(Qcow2Header header) {
    return new Geometry(
        (int) header.clusterBits(),
        header.has(IncompatibleFeature.EXTENDED_L2),
        (int) header.refcountOrder(),
        (int) header.version(),
        header.has(IncompatibleFeature.DATA_FILE));
  }

  /** Bytes of a cluster. */
  public int clusterBytes() {
    return 1 << clusterBits;
  }

  /** The part of an offset inside its cluster. */
  public long inCluster(long offset) {
    return offset & (clusterBytes() - 1);
  }

  /** How many clusters hold that many bytes. */
  public long clustersFor(long bytes) {
    return (bytes >>> clusterBits) + (inCluster(bytes) == 0 ? 0 : 1);
  }

  /** Bytes of one L2 entry: 8, or 16 with subclusters. */
  public int l2EntryBytes() {
    return extendedL2 ? 16 : 8;
  }

  /** log2 of the entries of one L2 table. */
  public int l2Bits() {
    return clusterBits - (extendedL2 ? 4 : 3);
  }

  /** log2 of the guest bytes that one L2 table maps. */
  public int l1Shift() {
    return clusterBits + l2Bits();
  }

  /** How many L1 entries a disk of that size needs. */
  public long l1EntriesFor(long size) {
    return (size >>> l1Shift()) + ((size & ((1L << l1Shift()) - 1)) == 0 ? 0 : 1);
  }

  /** Subclusters in a cluster: 32 or 1. */
  public int subclusters() {
    return extendedL2 ? 32 : 1;
  }

  /** log2 of the bytes that can be allocated or zero by themselves. */
  public int subclusterBits() {
    return extendedL2 ? clusterBits - 5 : clusterBits;
  }

  /** log2 of the refcounts in one refcount block. */
  public int refcountBlockBits() {
    return clusterBits + 3 - refcountOrder;
  }

  /** The largest refcount, unsigned 64 bits. */
  public long refcountMax() {
    int bits = 1 << refcountOrder;
    return bits == 64 ? -1L : (1L << bits) - 1;
  }

  /** Entries of the refcount table in one cluster. */
  public int refcountTableEntriesPerCluster() {
    return clusterBytes() / 8;
  }

  /** How far a compressed entry's sector count is shifted ("Compressed Clusters Descriptor"). */
  public int compressedShift() {
    return 62 - (clusterBits - 8);
  }

  /** Where a compressed entry's data starts; any byte of the file. */
  public long compressedOffset(long entry) {
    return entry & ((1L << compressedShift()) - 1);
  }

  /** The most bytes a compressed entry's data may take, from its offset. */
  public int compressedBytes(long entry) {
    int extraSectors = (int) (entry >>> compressedShift()) & ((1 << (clusterBits - 8)) - 1);
    int skipped = (int) (compressedOffset(entry) & 511);
    return (extraSectors + 1) * 512 - skipped;
  }

  /** The entry for compressed data at an offset. */
  public long compressedEntry(long offset, int bytes) {
    long sectors = ((offset + bytes - 1) >>> 9) - (offset >>> 9);
    return offset | L2Entry.COMPRESSED | (sectors << compressedShift());
  }
}
