package hawser.nbd;

/** Numbers of options and of the replies to them (proto.md, "Option types"). */
public final class OptionCode {
  /** Choose an export; no error reply. */
  public static final int EXPORT_NAME = 1;

  /** Go away. */
  public static final int ABORT = 2;

  /** Name all exports. */
  public static final int LIST = 3;

  /** Switch to TLS. */
  public static final int STARTTLS = 5;

  /** Tell of an export. */
  public static final int INFO = 6;

  /** Choose an export. */
  public static final int GO = 7;

  /** Agree on structured replies. */
  public static final int STRUCTURED_REPLY = 8;

  /** Name metadata contexts. */
  public static final int LIST_META_CONTEXT = 9;

  /** Choose metadata contexts. */
  public static final int SET_META_CONTEXT = 10;

  /** Agree on extended headers. */
  public static final int EXTENDED_HEADERS = 11;

  /** Reply: done. */
  public static final int REP_ACK = 1;

  /** Reply: an export's name. */
  public static final int REP_SERVER = 2;

  /** Reply: information of an export. */
  public static final int REP_INFO = 3;

  /** Reply: a metadata context. */
  public static final int REP_META_CONTEXT = 4;

  /** Reply: this option is not known. */
  public static final int ERR_UNSUP = 0x80000001;

  /** Reply: forbidden here. */
  public static final int ERR_POLICY = 0x80000002;

  /** Reply: malformed, or out of place. */
  public static final int ERR_INVALID = 0x80000003;

  /** Reply: this machine cannot. */
  public static final int ERR_PLATFORM = 0x80000004;

  /** Reply: TLS first. */
  public static final int ERR_TLS_REQD = 0x80000005;

  /** Reply: no such export. */
  public static final int ERR_UNKNOWN = 0x80000006;

  /** Reply: the server is stopping. */
  public static final int ERR_SHUTDOWN = 0x80000007;

  /** Reply: ask for the block size first. */
  public static final int ERR_BLOCK_SIZE_REQD = 0x80000008;

  /** Reply: too much data. */
  public static final int ERR_TOO_BIG = 0x80000009;

  /** Reply: extended headers are on, this makes no sense. */
  public static final int ERR_EXT_HEADER_REQD = 0x8000000a;

  /** Information: size and flags. */
  public static final int INFO_EXPORT = 0;

  /** Information: the proper name. */
  public static final int INFO_NAME = 1;

  /** Information: text for people. */
  public static final int INFO_DESCRIPTION = 2;

  /** Information: block sizes. */
  public static final int INFO_BLOCK_SIZE = 3;

  private OptionCode() {}

  /** The name as proto.md spells it, for messages. */
  public static String name(int code) {
    return switch (code) {
      case EXPORT_NAME -> "export name";
      case ABORT -> "abort";
      case LIST -> "list";
      case STARTTLS -> "starttls";
      case INFO -> "info";
      case GO -> "go";
      case STRUCTURED_REPLY -> "structured reply";
      case LIST_META_CONTEXT -> "list meta context";
      case SET_META_CONTEXT -> "set meta context";
      case EXTENDED_HEADERS -> "extended headers";
      default -> "option " + Integer.toUnsignedString(code);
    };
  }
}
