package hawser.nbd;

import java.util.List;

/**
 * What a server says of an export during the handshake.
 *
 * @param name as clients ask for it; "" is the default export
 * @param description for people, or ""
 * @param size bytes
 * @param flags {@link TransmissionFlags}, without those that depend on the reply style
 * @param sizes block sizes
 * @param contexts the metadata contexts it has, in the order of their numbers
 * @param tlsOnly whether clients without TLS are refused this export
 */
public record ExportInfo(
    String name,
    String description,
    long size,
    int flags,
    BlockSizes sizes,
    List<MetaContext> contexts,
    boolean tlsOnly) {
  /** Copies the list. */
  public ExportInfo {
    contexts = List.copyOf(contexts);
  }

  /** The flags that a client of that style sees. */
  public int flags(ReplyStyle style, boolean contextsChosen) {
    int all = flags;
    if (style != ReplyStyle.SIMPLE) {
      all |= TransmissionFlags.SEND_DF;
    }
    if (style == ReplyStyle.EXTENDED && contextsChosen) {
      all |= TransmissionFlags.BLOCK_STATUS_PAYLOAD;
    }
    return all;
  }

  /** Whether writes are refused. */
  public boolean readOnly() {
    return (flags & TransmissionFlags.READ_ONLY) != 0;
  }
}
