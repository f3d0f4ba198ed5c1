package hawser.base;

/** Arithmetic on byte ranges that cannot overflow. All values are bytes. */
public final class Ranges {
  private Ranges() {}

  /**
   * Whether {@code [offset, offset + length)} lies inside {@code [0, size)}. Subtracts instead of
   * adding, for {@code offset + length} may wrap when a peer chose both.
   */
  public static boolean contains(long size, long offset, long length) {
    return offset >= 0 && length >= 0 && offset <= size && length <= size - offset;
  }

  /** Rounds down to a multiple of {@code unit}, a power of two. */
  public static long alignDown(long value, long unit) {
    return value & -unit;
  }

  /**
   * Rounds up to a multiple of {@code unit}, a power of two.
   *
   * @throws ArithmeticException when the result exceeds {@code Long.MAX_VALUE}
   */
  public static long alignUp(long value, long unit) {
    return Math.addExact(value, unit - 1) & -unit;
  }

  /** How many units of {@code unit} bytes hold {@code value} bytes; any positive unit. */
  public static long unitsFor(long value, long unit) {
    return value / unit + (value % unit == 0 ? 0 : 1);
  }
}
