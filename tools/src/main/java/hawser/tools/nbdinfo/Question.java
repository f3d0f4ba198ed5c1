package hawser.tools.nbdinfo;

import hawser.base.UsageFault;
import hawser.nbd.ReplyStyle;
import hawser.nbd.TransmissionFlags;
import hawser.nbd.client.ServerInfo;
import org.jspecify.annotations.Nullable;

/** The questions of {@code --is} and {@code --can}. */
final class Question {
  private Question() {}

  static boolean answer(ServerInfo server, @Nullable String is, @Nullable String can) {
    return is != null ? is(server, is) : can(server, can == null ? "" : can);
  }

  private static boolean is(ServerInfo server, String what) {
    return switch (what) {
      case "read-only", "readonly", "read_only" -> server.readOnly();
      case "rotational" -> server.can(TransmissionFlags.ROTATIONAL);
      case "tls" -> server.tls();
      default -> throw new UsageFault("unknown --can or --is option: " + what);
    };
  }

  private static boolean can(ServerInfo server, String what) {
    return switch (what.replace('_', '-')) {
      case "connect", "read" -> true;
      case "write" -> !server.readOnly();
      case "structured", "structured-reply" -> server.style() != ReplyStyle.SIMPLE;
      case "extended-headers" -> server.style() == ReplyStyle.EXTENDED;
      case "block-status-payload" -> server.can(TransmissionFlags.BLOCK_STATUS_PAYLOAD);
      case "cache" -> server.can(TransmissionFlags.SEND_CACHE);
      case "df" -> server.can(TransmissionFlags.SEND_DF);
      case "fast-zero" -> server.can(TransmissionFlags.SEND_FAST_ZERO);
      case "flush" -> server.can(TransmissionFlags.SEND_FLUSH);
      case "fua" -> server.can(TransmissionFlags.SEND_FUA);
      case "multi-conn" -> server.can(TransmissionFlags.CAN_MULTI_CONN);
      case "trim" -> server.can(TransmissionFlags.SEND_TRIM);
      case "zero" -> server.can(TransmissionFlags.SEND_WRITE_ZEROES);
      default -> throw new UsageFault("unknown --can or --is option: " + what);
    };
  }
}
