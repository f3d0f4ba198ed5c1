package hawser.nbd;

/** Flags of a request, 16 bits (proto.md, "Command flags"). */
public final class CommandFlags {
  /** Durable before the reply. */
  public static final int FUA = 1;

  /** WRITE_ZEROES keeps the room. */
  public static final int NO_HOLE = 1 << 1;

  /** READ answers in one chunk. */
  public static final int DF = 1 << 2;

  /** BLOCK_STATUS answers one extent. */
  public static final int REQ_ONE = 1 << 3;

  /** WRITE_ZEROES fails rather than writes data. */
  public static final int FAST_ZERO = 1 << 4;

  /** The length is that of a payload which follows (extended headers). */
  public static final int PAYLOAD_LEN = 1 << 5;

  private CommandFlags() {}
}
