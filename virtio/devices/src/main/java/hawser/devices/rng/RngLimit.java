package hawser.devices.rng;

/**
 * How much entropy a guest may have, as QEMU's {@code max-bytes} and {@code period} say it.
 *
 * @param maxBytes bytes per period, at least 1
 * @param periodNanos the period, at least 1
 */
public record RngLimit(long maxBytes, long periodNanos) {
  /** As much as it asks for. */
  public static final RngLimit NONE = new RngLimit(Long.MAX_VALUE, Long.MAX_VALUE / 2);

  /** Checks both. */
  public RngLimit {
    if (maxBytes < 1 || periodNanos < 1) {
      throw new IllegalArgumentException("%d bytes in %d ns".formatted(maxBytes, periodNanos));
    }
  }
}
