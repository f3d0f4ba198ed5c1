package hawser.block.format.qcow2.layout;

/** Features that whoever does not know them may ignore ("Header", bytes 80-87). */
public enum CompatibleFeature {
  /** Refcount updates may be put off while the dirty bit is set. */
  LAZY_REFCOUNTS(0, "lazy refcounts");

  private final int bit;
  private final String words;

  CompatibleFeature(int bit, String words) {
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
}
