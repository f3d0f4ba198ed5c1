package hawser.nbd;

/**
 * The block sizes of an export in bytes (proto.md, "Block size constraints").
 *
 * @param minimum offsets and lengths are multiples of this power of two, 1 to 64 KiB
 * @param preferred requests of multiples of this power of two are fast; at least 512
 * @param maximum the longest payload of one request
 */
public record BlockSizes(int minimum, int preferred, int maximum) {
  /** What holds when nothing was said. */
  public static final BlockSizes DEFAULT = new BlockSizes(1, 4096, NbdLimits.PAYLOAD_BYTES_MAX);
}
