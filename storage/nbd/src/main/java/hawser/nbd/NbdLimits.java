package hawser.nbd;

/** What is refused, and why; checked before anything is allocated. */
public final class NbdLimits {
  /** The longest export name, description, query or error text (proto.md, "Values"), bytes. */
  public static final int STRING_BYTES_MAX = 4096;

  /** The largest read or write that QEMU's own peers accept, bytes; advertised to clients. */
  public static final int PAYLOAD_BYTES_MAX = 32 << 20;

  /**
   * The most bytes of one option's data that are kept. Room for a name and sixty longest queries;
   * no client needs more.
   */
  public static final int OPTION_BYTES_MAX = 256 << 10;

  /**
   * The most bytes of one option that are read and thrown away to keep the framing; a longer one
   * ends the connection.
   */
  public static final int OPTION_SKIP_BYTES_MAX = PAYLOAD_BYTES_MAX;

  /** How many options one client may send; a client that haggles longer is up to no good. */
  public static final int OPTIONS_MAX = 4096;

  /** Contexts that one client may choose. */
  public static final int CONTEXTS_MAX = 1024;

  /** Extents in one BLOCK_STATUS chunk, as many as QEMU sends. */
  public static final int EXTENTS_MAX = (1 << 20) / 8;

  /** The largest minimum block size the protocol allows, bytes. */
  public static final int MINIMUM_BLOCK_MAX = 64 << 10;

  /** Exports that a client reads out of a LIST answer. */
  public static final int LISTED_EXPORTS_MAX = 10_000;

  private NbdLimits() {}
}
