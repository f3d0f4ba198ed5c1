package hawser.nbd.tls;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.nbd.NbdUri;
import java.nio.file.Path;

/** What an {@code nbds} URI says of the credentials to use. */
public final class UriCredentials {
  private UriCredentials() {}

  /**
   * The credentials: keys when there is {@code tls-psk-file}, nobody's with {@code tls-type=anon},
   * certificates otherwise, out of {@code tls-certificates} or as this machine's Java trusts.
   */
  public static TlsSide of(NbdUri uri) throws BlockFault {
    var parameters = uri.parameters();
    String type = parameters.getOrDefault("tls-type", "");
    String keys = parameters.get("tls-psk-file");
    String user =
        uri.user().isEmpty()
            ? parameters.getOrDefault("tls-username", System.getProperty("user.name", "nbd"))
            : uri.user();
    if (keys != null) {
      return PskSide.client(Path.of(keys), user);
    }
    if (type.equals("psk")) {
      throw new BlockFault(Errno.EINVAL, "tls-type=psk needs tls-psk-file=FILE");
    }
    if (type.equals("anon")) {
      return new AnonymousSide();
    }
    boolean verify = uri.tlsVerifyPeer();
    String folder = parameters.get("tls-certificates");
    X509Side side =
        folder == null ? X509Side.ofSystem(verify) : X509Side.of(Path.of(folder), false, verify);
    // A unix socket's server has no name to compare; that its authority is known must do.
    return uri.tlsHostname().isPresent()
        ? side.expecting(uri.tlsHostname().get())
        : side.expectingAnyName();
  }
}
