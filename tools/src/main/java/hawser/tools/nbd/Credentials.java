package hawser.tools.nbd;

import hawser.base.BlockFault;
import hawser.base.UsageFault;
import hawser.nbd.tls.TlsObjects;
import hawser.nbd.tls.TlsSide;
import org.jspecify.annotations.Nullable;

/** What {@code --object} and {@code --tls-creds} say together. */
record Credentials(NbdLine line) {
  /** The credentials, or null without TLS. */
  @Nullable TlsSide side() {
    var objects = new TlsObjects();
    try {
      for (String definition : line.objects) {
        if (!objects.add(definition)) {
          String type = definition.split(",", 2)[0];
          throw new UsageFault("Parameter 'qom-type' does not accept value '" + type + "'");
        }
      }
    } catch (BlockFault e) {
      throw new UsageFault(String.valueOf(e.getMessage()));
    }
    String id = line.tlsCreds;
    if (id == null) {
      return null;
    }
    try {
      return line.list
          ? objects.client(id, line.tlsHostname != null ? line.tlsHostname : line.bind)
          : objects.server(id, line.tlsAuthz);
    } catch (BlockFault e) {
      throw new UsageFault("Failed to get TLS creds: " + e.getMessage());
    }
  }
}
