package hawser.block;

/**
 * What requests to a node must keep to, and what goes fast; all bytes.
 *
 * @param alignment offsets and lengths must be multiples of this power of two; 1 to 64 KiB
 * @param memoryAlignment buffers' addresses must be multiples of this; matters with O_DIRECT
 * @param preferred requests of multiples of this go without read-modify-write; a power of two
 * @param discardUnit smaller discards than this free nothing
 */
public record Limits(int alignment, int memoryAlignment, int preferred, int discardUnit) {
  /** Anything goes; 4 KiB is preferred. */
  public static final Limits BYTES = new Limits(1, 1, 4096, 1);
}
