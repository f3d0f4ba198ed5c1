package hawser.base;

/**
 * The other side of a connection broke the protocol. Ends that connection and nothing else. The
 * message names the field, its value and what was allowed.
 */
public final class PeerFault extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** A breach of protocol, told for a log line. */
  public PeerFault(String message) {
    super(message);
  }

  /** A breach that showed itself through another failure, such as a failed TLS handshake. */
  public PeerFault(String message, Throwable cause) {
    super(message, cause);
  }
}
