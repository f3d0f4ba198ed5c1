package hawser.nbd.tls;

import hawser.base.BlockFault;
import hawser.base.Errno;
import org.jspecify.annotations.Nullable;

/** Finds credentials by the name a user gave them. Safe from any thread. */
public interface TlsCredentials {
  /** In front of an id that is an {@code nbds} URI, which brings its own credentials. */
  String URI_PREFIX = "uri:";

  /** Knows no names. */
  TlsCredentials NONE =
      (id, hostname) -> {
        throw new BlockFault(Errno.EINVAL, "No TLS credentials with id '" + id + "'");
      };

  /**
   * Credentials for a client.
   *
   * @param id the name
   * @param hostname the name to expect in the server's certificate, or null when it has none
   * @throws BlockFault with QEMU's words when there are none of that name, or they are a server's
   */
  TlsSide client(String id, @Nullable String hostname) throws BlockFault;
}
