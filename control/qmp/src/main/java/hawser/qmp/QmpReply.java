package hawser.qmp;

import hawser.base.PeerFault;
import hawser.base.json.Json;

/** How the server answered a command. */
public sealed interface QmpReply {
  /** It was done. */
  record Returned(Json value) implements QmpReply {}

  /**
   * It was refused. The class is one of GenericError, CommandNotFound, DeviceNotActive,
   * DeviceNotFound and KVMMissingCap, or one of the future; the text is for people (qmp-spec,
   * "Error").
   */
  record Refused(String errorClass, String description) implements QmpReply {}

  /**
   * What it returned, for a caller who knows no use for a refusal.
   *
   * @throws PeerFault with the server's words when the command was refused
   */
  default Json value() {
    return switch (this) {
      case Returned(Json value) -> value;
      case Refused(String errorClass, String description) ->
          throw new PeerFault(errorClass + ": " + description);
    };
  }
}
