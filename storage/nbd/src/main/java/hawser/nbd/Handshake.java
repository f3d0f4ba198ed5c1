package hawser.nbd;

import java.util.List;

/** Where a server stands with one client during the handshake. */
public sealed interface Handshake {
  /**
   * Options are being exchanged.
   *
   * @param fixed whether the client knows fixed newstyle, so that options may be answered
   * @param noZeroes whether the padding after EXPORT_NAME is left out
   * @param tls whether the connection is encrypted
   * @param style what was agreed so far
   * @param contexts the contexts chosen last
   * @param contextsOf the export they were chosen for
   */
  record Haggling(
      boolean fixed,
      boolean noZeroes,
      boolean tls,
      ReplyStyle style,
      List<MetaContext> contexts,
      String contextsOf)
      implements Handshake {
    /** The state after the client's flags. */
    public static Haggling begin(boolean fixed, boolean noZeroes) {
      return new Haggling(fixed, noZeroes, false, ReplyStyle.SIMPLE, List.of(), "");
    }

    /**
     * The state after TLS: everything agreed in the clear is forgotten, since an attacker may have
     * put it there (proto.md, "NBD_OPT_STARTTLS").
     */
    public Haggling encrypted() {
      return new Haggling(fixed, noZeroes, true, ReplyStyle.SIMPLE, List.of(), "");
    }

    Haggling with(ReplyStyle agreed) {
      return new Haggling(fixed, noZeroes, tls, agreed, contexts, contextsOf);
    }

    Haggling with(String export, List<MetaContext> chosen) {
      return new Haggling(fixed, noZeroes, tls, style, List.copyOf(chosen), export);
    }
  }

  /** TLS begins with the next byte; {@code after} is the state once it stands. */
  record Encrypting(Haggling after) implements Handshake {}

  /**
   * Transmission begins with the next byte.
   *
   * @param export what was chosen
   * @param style what was agreed
   * @param contexts what block status will tell
   * @param aligned whether the client knows the block sizes and is held to them
   */
  record Ready(ExportInfo export, ReplyStyle style, List<MetaContext> contexts, boolean aligned)
      implements Handshake {}

  /** The connection is to be closed after the answers are sent. */
  record Ended(String why) implements Handshake {}

  /** A new state, and what the client is told; messages are complete. */
  record Step(Handshake next, List<byte[]> answers) {}
}
