package hawser.nbd;

/** The type of a request (proto.md, "Request types"). */
public enum Command {
  /** Bytes out of the export. */
  READ,
  /** Bytes into the export. */
  WRITE,
  /** The client goes; no reply. */
  DISC,
  /** Completed writes become durable. */
  FLUSH,
  /** A range is no longer needed. */
  TRIM,
  /** A range will soon be read. */
  CACHE,
  /** A range becomes zeroes without a payload. */
  WRITE_ZEROES,
  /** What is known of a range. */
  BLOCK_STATUS,
  /** A number this protocol does not have; never on the wire. */
  UNKNOWN;

  private static final Command[] BY_NUMBER = {
    READ, WRITE, DISC, FLUSH, TRIM, CACHE, WRITE_ZEROES, BLOCK_STATUS
  };

  /** The command with that number, 0 to 65535. */
  public static Command of(int number) {
    return number >= 0 && number < BY_NUMBER.length ? BY_NUMBER[number] : UNKNOWN;
  }

  /** Whether it changes the export. */
  public boolean writes() {
    return this == WRITE || this == TRIM || this == WRITE_ZEROES;
  }
}
