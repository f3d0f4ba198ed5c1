package hawser.nbd.tls;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.KeyValues;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The objects of QEMU's command lines that have to do with TLS: {@code tls-creds-anon}, {@code
 * tls-creds-x509}, {@code tls-creds-psk}, {@code authz-simple}, {@code authz-list}. Read once, then
 * safe from any thread.
 */
public final class TlsObjects implements TlsCredentials {
  private final Map<String, Map<String, String>> objects = new HashMap<>();

  /** No objects yet. */
  public TlsObjects() {}

  /**
   * Adds {@code type,id=ID,key=value...}; objects of other types are kept out.
   *
   * @return whether it is one of the types known here
   * @throws BlockFault when its id is missing or taken
   */
  public boolean add(String definition) throws BlockFault {
    int comma = definition.indexOf(',');
    String type = comma < 0 ? definition : definition.substring(0, comma);
    if (type.startsWith("qom-type=")) {
      type = type.substring("qom-type=".length());
    }
    switch (type) {
      case "tls-creds-anon", "tls-creds-x509", "tls-creds-psk", "authz-simple", "authz-list" -> {}
      default -> {
        return false;
      }
    }
    var properties =
        new HashMap<>(KeyValues.parse(comma < 0 ? "" : definition.substring(comma + 1)));
    properties.put("qom-type", type);
    String id = properties.get("id");
    if (id == null) {
      throw new BlockFault(Errno.EINVAL, "Parameter 'id' is missing");
    }
    if (objects.put(id, properties) != null) {
      throw new BlockFault(
          Errno.EEXIST,
          "attempt to add duplicate property '" + id + "' to object (type 'container')");
    }
    return true;
  }

  private Map<String, String> credentials(String id, boolean server) throws BlockFault {
    Map<String, String> found = objects.get(id);
    if (found == null) {
      throw new BlockFault(Errno.EINVAL, "No TLS credentials with id '" + id + "'");
    }
    if (!found.getOrDefault("qom-type", "").startsWith("tls-creds-")) {
      throw new BlockFault(Errno.EINVAL, "Object with id '" + id + "' is not TLS credentials");
    }
    String wanted = server ? "server" : "client";
    if (!found.getOrDefault("endpoint", "client").equals(wanted)) {
      throw new BlockFault(Errno.EINVAL, "Expected TLS credentials for a " + wanted + " endpoint");
    }
    return found;
  }

  private static Path folder(Map<String, String> properties) throws BlockFault {
    String dir = properties.get("dir");
    if (dir == null) {
      throw new BlockFault(Errno.EINVAL, "Missing 'dir' property value");
    }
    return Path.of(dir);
  }

  private static boolean verifies(Map<String, String> properties) {
    return switch (properties.getOrDefault("verify-peer", "on")) {
      case "off", "no", "false" -> false;
      default -> true;
    };
  }

  @Override
  public TlsSide client(String id, @Nullable String hostname) throws BlockFault {
    Map<String, String> found = credentials(id, false);
    return switch (found.getOrDefault("qom-type", "")) {
      case "tls-creds-anon" -> new AnonymousSide();
      case "tls-creds-psk" ->
          PskSide.client(folder(found).resolve("keys.psk"), found.getOrDefault("username", "qemu"));
      default -> X509Side.of(folder(found), false, verifies(found)).expecting(hostname);
    };
  }

  /**
   * Credentials for a server.
   *
   * @param authorisation the id of the object that admits clients by name, or null for all
   */
  public TlsSide server(String id, @Nullable String authorisation) throws BlockFault {
    Map<String, String> found = credentials(id, true);
    return switch (found.getOrDefault("qom-type", "")) {
      case "tls-creds-anon" -> new AnonymousSide();
      case "tls-creds-psk" -> PskSide.server(folder(found).resolve("keys.psk"));
      default -> {
        X509Side side = X509Side.of(folder(found), true, verifies(found));
        yield authorisation == null ? side : side.admitting(admission(authorisation));
      }
    };
  }

  private Predicate<String> admission(String id) throws BlockFault {
    Map<String, String> found = objects.get(id);
    if (found == null) {
      // QEMU looks it up when a client comes, and then refuses it.
      return name -> false;
    }
    if (found.getOrDefault("qom-type", "").equals("authz-simple")) {
      String identity = found.getOrDefault("identity", "");
      return identity::equals;
    }
    return new AuthorisationList(found)::admits;
  }

  /** authz-list: the first rule that matches decides. */
  private record AuthorisationList(Map<String, String> properties) {
    private static final int RULES_MAX = 10_000;

    boolean admits(String name) {
      for (int i = 0; i < RULES_MAX; i++) {
        String match = properties.get("rules." + i + ".match");
        if (match == null) {
          break;
        }
        boolean glob = properties.getOrDefault("rules." + i + ".format", "exact").equals("glob");
        if (glob ? glob(match).matcher(name).matches() : match.equals(name)) {
          return properties.getOrDefault("rules." + i + ".policy", "deny").equals("allow");
        }
      }
      return properties.getOrDefault("policy", "deny").equals("allow");
    }

    private static Pattern glob(String text) {
      var pattern = new StringBuilder();
      for (int i = 0; i < text.length(); i++) {
        char c = text.charAt(i);
        pattern.append(
            switch (c) {
              case '*' -> ".*";
              case '?' -> ".";
              default -> Pattern.quote(String.valueOf(c));
            });
      }
      return Pattern.compile(pattern.toString(), Pattern.DOTALL);
    }
  }
}
