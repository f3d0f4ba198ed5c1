package hawser.nbd.tls;

import hawser.nbd.transport.Transport;

/**
 * Credentials that can encrypt a stream. Safe from any thread; one object serves any number of
 * connections.
 */
public interface TlsSide {
  /**
   * Encrypts a stream as a client.
   *
   * @return a stream that owns {@code plain}
   * @throws hawser.base.PeerFault when the two sides do not agree, or one does not trust the other
   */
  Transport client(Transport plain);

  /** Encrypts a stream as a server, as {@link #client}. */
  Transport server(Transport plain);
}
