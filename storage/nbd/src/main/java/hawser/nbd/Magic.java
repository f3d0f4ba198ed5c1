package hawser.nbd;

/** The numbers that messages open with (proto.md, "Values", "Magic numbers"). */
public final class Magic {
  /** First eight bytes of every server: {@code NBDMAGIC}. */
  public static final long NBD = 0x4e42444d41474943L;

  /** Next eight bytes of a newstyle server, and first of every option: {@code IHAVEOPT}. */
  public static final long OPTION = 0x49484156454F5054L;

  /** First eight bytes of an option reply. */
  public static final long OPTION_REPLY = 0x3e889045565a9L;

  /** Next eight bytes of an oldstyle server. */
  public static final long OLDSTYLE = 0x00420281861253L;

  /** A compact request. */
  public static final int REQUEST = 0x25609513;

  /** An extended request. */
  public static final int EXTENDED_REQUEST = 0x21e41c71;

  /** A simple reply. */
  public static final int SIMPLE_REPLY = 0x67446698;

  /** A structured reply chunk. */
  public static final int STRUCTURED_REPLY = 0x668e33ef;

  /** An extended reply chunk. */
  public static final int EXTENDED_REPLY = 0x6e8a278c;

  private Magic() {}
}
