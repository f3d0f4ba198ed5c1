package hawser.block.format.qcow2.layout;

import java.util.Arrays;

/** Features whose bit a writer that does not know them clears ("Header", bytes 88-95). */
public enum AutoclearFeature {
  /** The bitmaps extension is in step with the data. */
  BITMAPS(0, "bitmaps"),
  /** The external data file is a valid raw image by itself. */
  RAW_DATA_FILE(1, "raw external data");

  private final int bit;
  private final String words;

  AutoclearFeature(int bit, String words) {
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
    return Arrays.stream(values()).mapToLong(AutoclearFeature::mask).reduce(0, (a, b) -> a | b);
  }
}
