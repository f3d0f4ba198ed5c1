package hawser.nbd;

/** A metadata context: its name, and the number by which block status replies refer to it. */
public record MetaContext(int id, String name) {
  /** Bits: {@link #STATE_HOLE}, {@link #STATE_ZERO}. */
  public static final String BASE_ALLOCATION = "base:allocation";

  /** The whole number is the layer that defines the bytes: 0 none, 1 the top, 2 its backing. */
  public static final String QEMU_ALLOCATION_DEPTH = "qemu:allocation-depth";

  /** In front of a bitmap's name. Bit 0: dirty. */
  public static final String QEMU_DIRTY_BITMAP = "qemu:dirty-bitmap:";

  /** base:allocation: no room is taken. */
  public static final int STATE_HOLE = 1;

  /** base:allocation: reads as zeroes. */
  public static final int STATE_ZERO = 2;

  /** qemu:dirty-bitmap: changed. */
  public static final int STATE_DIRTY = 1;
}
