package hawser.nbd.server;

import hawser.nbd.TlsMode;
import hawser.nbd.tls.TlsSide;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The limits of a server.
 *
 * @param connectionsMax clients at a time; further ones wait to be accepted; 0 is no limit
 * @param handshakeLimit how long a client may take until transmission; zero is no limit
 * @param inFlightMax requests of one client that may wait for a node at a time, 1 to 512
 * @param tls whether clients use TLS
 * @param credentials the server's; there when {@code tls} is not NONE
 */
public record ServerOptions(
    int connectionsMax,
    Duration handshakeLimit,
    int inFlightMax,
    TlsMode tls,
    @Nullable TlsSide credentials) {
  /** The limits of QEMU's storage daemon; more requests in flight, to reach deep disks. */
  public static final ServerOptions DEFAULT =
      new ServerOptions(100, Duration.ofSeconds(10), 64, TlsMode.NONE, null);

  /** Refuses what cannot be. */
  public ServerOptions {
    if (inFlightMax < 1 || inFlightMax > 512) {
      throw new IllegalArgumentException("inFlightMax " + inFlightMax + " is not in 1..512");
    }
    if (tls != TlsMode.NONE && credentials == null) {
      throw new IllegalArgumentException("TLS without credentials");
    }
  }

  /** The same with another number of clients. */
  public ServerOptions withConnectionsMax(int most) {
    return new ServerOptions(most, handshakeLimit, inFlightMax, tls, credentials);
  }

  /** The same with another deadline. */
  public ServerOptions withHandshakeLimit(Duration limit) {
    return new ServerOptions(connectionsMax, limit, inFlightMax, tls, credentials);
  }

  /** The same with TLS. */
  public ServerOptions withTls(TlsMode mode, TlsSide side) {
    return new ServerOptions(connectionsMax, handshakeLimit, inFlightMax, mode, side);
  }
}
