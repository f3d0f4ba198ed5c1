package hawser.nbd.client;

import hawser.nbd.BlockSizes;
import hawser.nbd.MetaContext;
import hawser.nbd.ReplyStyle;
import hawser.nbd.TransmissionFlags;
import java.util.List;

/**
 * What a server said of itself and of the chosen export.
 *
 * @param protocol {@code oldstyle}, {@code newstyle} or {@code newstyle-fixed}
 * @param tls whether the connection is encrypted
 * @param style the replies agreed on
 * @param name the export's name as the server has it
 * @param description its text for people, or ""
 * @param size bytes
 * @param flags {@link TransmissionFlags}
 * @param sizes block sizes; defaults when the server did not tell
 * @param sizesTold whether it did
 * @param contexts the metadata contexts agreed on
 */
public record ServerInfo(
    String protocol,
    boolean tls,
    ReplyStyle style,
    String name,
    String description,
    long size,
    int flags,
    BlockSizes sizes,
    boolean sizesTold,
    List<MetaContext> contexts) {
  /** Copies the list. */
  public ServerInfo {
    contexts = List.copyOf(contexts);
  }

  /** Whether all of these {@link TransmissionFlags} are set. */
  public boolean can(int wanted) {
    return (flags & wanted) == wanted;
  }

  /** Whether writes are refused. */
  public boolean readOnly() {
    return can(TransmissionFlags.READ_ONLY);
  }

  ServerInfo with(List<MetaContext> chosen) {
    return new ServerInfo(
        protocol, tls, style, name, description, size, flags, sizes, sizesTold, chosen);
  }
}
