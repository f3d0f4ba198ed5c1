package hawser.nbd;

/** Whether a server's clients use TLS (proto.md, "TLS versions"). */
public enum TlsMode {
  /** NOTLS: the server cannot. */
  NONE,
  /** SELECTIVETLS: only exports that want it. */
  SELECTIVE,
  /** FORCEDTLS: nothing works before. */
  FORCED
}
