package hawser.nbd;

/** What an export can do, in 16 bits (proto.md, "Transmission flags"). */
public final class TransmissionFlags {
  /** Always set. */
  public static final int HAS_FLAGS = 1;

  /** Writes are refused with EPERM. */
  public static final int READ_ONLY = 1 << 1;

  /** FLUSH works. */
  public static final int SEND_FLUSH = 1 << 2;

  /** The FUA command flag works. */
  public static final int SEND_FUA = 1 << 3;

  /** The disk rotates. */
  public static final int ROTATIONAL = 1 << 4;

  /** TRIM works. */
  public static final int SEND_TRIM = 1 << 5;

  /** WRITE_ZEROES works. */
  public static final int SEND_WRITE_ZEROES = 1 << 6;

  /** The DF command flag works; only with structured or extended replies. */
  public static final int SEND_DF = 1 << 7;

  /** A flush on one connection covers the writes of all. */
  public static final int CAN_MULTI_CONN = 1 << 8;

  /** RESIZE works (experimental extension). */
  public static final int SEND_RESIZE = 1 << 9;

  /** CACHE works. */
  public static final int SEND_CACHE = 1 << 10;

  /** The FAST_ZERO command flag works. */
  public static final int SEND_FAST_ZERO = 1 << 11;

  /** BLOCK_STATUS takes a payload that selects contexts; only with extended headers. */
  public static final int BLOCK_STATUS_PAYLOAD = 1 << 12;

  private TransmissionFlags() {}
}
