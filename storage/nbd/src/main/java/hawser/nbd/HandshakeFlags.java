package hawser.nbd;

/** The 16 bits a newstyle server sends first; the client echoes what it knows in 32 bits. */
public final class HandshakeFlags {
  /** Fixed newstyle: options other than EXPORT_NAME get replies. */
  public static final int FIXED_NEWSTYLE = 1;

  /** The 124 zero bytes after EXPORT_NAME are left out. */
  public static final int NO_ZEROES = 2;

  /** Every flag there is; a client that sends another is dropped. */
  public static final int ALL = FIXED_NEWSTYLE | NO_ZEROES;

  private HandshakeFlags() {}
}
