package hawser.block.format.qcow2.layout;

import java.util.Arrays;

/** Features that a reader must know to make sense of the image ("Header", bytes 72-79). */
public enum IncompatibleFeature {
  /** Refcounts may be wrong and must be rebuilt before they are used. */
  DIRTY(0, "dirty bit"),
  /** Damage was found; not to be opened for writing but for repair. */
  CORRUPT(1, "corrupt bit"),
  /** Guest data lies in another file, at the guest's own offsets. */
  DATA_FILE(2, "external data file"),
  /** The header's compression type is not the default. */
  COMPRESSION(3, "compression type"),
  /** L2 entries have 128 bits and 32 subclusters. */
  EXTENDED_L2(4, "extended L2 entries");

  private final int bit;
  private final String words;

  IncompatibleFeature(int bit, String words) {
    this.bit = bit;
    this.words = words;
  }

  /** Its bit's number in the header's field. */
  public int bit() {
    return bit;
  }

  /** Its bit in the header's field. */
  public long mask() {
    return 1L << bit;
  }

  /** Its name in the feature name table that QEMU writes. */
  public String words() {
    return words;
  }

  /** Every bit this implementation knows. */
  public static long all() {
    return Arrays.stream(values()).mapToLong(IncompatibleFeature::mask).reduce(0, (a, b) -> a | b);
  }
}
