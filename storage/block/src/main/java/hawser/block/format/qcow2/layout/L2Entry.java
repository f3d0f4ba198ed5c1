package hawser.block.format.qcow2.layout;

import java.util.Optional;

/** What an L2 table says of one cluster ("L2 table entry"). */
public sealed interface L2Entry {
  /** The bits that hold a standard cluster's offset: 9 to 55. */
  long OFFSET_MASK = 0x00fffffffffffe00L;

  /** The refcount of the cluster is exactly one. */
  long COPIED = 1L << 63;

  /** The cluster is compressed. */
  long COMPRESSED = 1L << 62;

  /** The cluster reads as zeroes; not with extended entries, not in version 2. */
  long ZERO = 1L;

  /** Bits of a standard entry that must be zero. */
  long STANDARD_RESERVED_MASK = ~(OFFSET_MASK | COPIED | COMPRESSED | ZERO);

  /** Bits of a subcluster bitmap that say "allocated". */
  long SUB_ALLOCATED = 0xffffffffL;

  /** Bits of a subcluster bitmap that say "reads as zeroes". */
  long SUB_ZERO = 0xffffffffL << 32;

  /** Nothing: what the backing file has, or zeroes. */
  record Unallocated() implements L2Entry {}

  /** Reads as zeroes; {@code keeps} says which cluster stays allocated for later writes. */
  record Zero(Optional<HostOffset> keeps, boolean copied) implements L2Entry {}

  /** A cluster of data. */
  record Standard(HostOffset at, boolean copied) implements L2Entry {}

  /** Compressed data that takes at most {@code bytes} from any byte of the file. */
  record Compressed(HostOffset at, int bytes) implements L2Entry {}

  /**
   * A cluster whose 32 subclusters differ or may differ.
   *
   * @param at the cluster, when one is allocated
   * @param allocated bit n: subcluster n is stored
   * @param zero bit n: subcluster n reads as zeroes; never set together with the other
   */
  record Subclusters(Optional<HostOffset> at, boolean copied, int allocated, int zero)
      implements L2Entry {
    /** Whether a bit is set in both words, or data is claimed without a cluster. */
    public boolean contradictory() {
      return (allocated & zero) != 0 || (at.isEmpty() && allocated != 0);
    }
  }

  /**
   * Reads an entry.
   *
   * @param entry the first 64 bits
   * @param bitmap the second 64 bits; ignored without extended entries
   */
  static L2Entry read(long entry, long bitmap, Geometry geometry) {
    if ((entry & COMPRESSED) != 0) {
      return new Compressed(
          new HostOffset(geometry.compressedOffset(entry)), geometry.compressedBytes(entry));
    }
    boolean copied = (entry & COPIED) != 0;
    boolean stored = (entry & OFFSET_MASK) != 0 || (geometry.dataFile() && copied);
    var at =
        stored ? Optional.of(new HostOffset(entry & OFFSET_MASK)) : Optional.<HostOffset>empty();
    if (geometry.extendedL2()) {
      if (at.isEmpty() && bitmap == 0) {
        return new Unallocated();
      }
      return new Subclusters(at, copied, (int) bitmap, (int) (bitmap >>> 32));
    }
    if ((entry & ZERO) != 0) {
      return new Zero(at, copied);
    }
    return at.isPresent() ? new Standard(at.get(), copied) : new Unallocated();
  }
}
