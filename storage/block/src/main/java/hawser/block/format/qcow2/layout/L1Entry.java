package hawser.block.format.qcow2.layout;

/** Reading of L1 table entries ("L1 table entry"). */
public final class L1Entry {
  /** The bits that hold the offset of an L2 table: 9 to 55. */
  public static final long OFFSET_MASK = 0x00fffffffffffe00L;

  /** The L2 table's refcount is exactly one. */
  public static final long COPIED = 1L << 63;

  /** Bits that must be zero. */
  public static final long RESERVED_MASK = ~(OFFSET_MASK | COPIED);

  private L1Entry() {}

  /** Where the L2 table is; 0 when there is none. */
  public static long offset(long entry) {
    return entry & OFFSET_MASK;
  }

  /** Whether the L2 table may be changed in place. */
  public static boolean copied(long entry) {
    return (entry & COPIED) != 0;
  }
}
