package hawser.nbd;

import java.io.ByteArrayOutputStream;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An NBD URI (uri.md): {@code nbd://host:port/export}, {@code nbd+unix:///export?socket=PATH}, and
 * the same with {@code nbds} where TLS is a must.
 *
 * @param tls whether the connection must be encrypted
 * @param place where the server is
 * @param user the name for TLS with pre-shared keys, or ""
 * @param export the export's name; "" is the default
 * @param parameters the query's other parameters: those of TLS
 */
public record NbdUri(
    boolean tls, Place place, String user, String export, Map<String, String> parameters) {
  /** NBD's port. */
  public static final int PORT = 10809;

  /** The longest URI looked at, in characters. */
  private static final int LENGTH_MAX = 16 << 10;

  private static final String TLS_HOSTNAME = "tls-hostname";
  private static final String TLS_CERTIFICATES = "tls-certificates";
  private static final String TLS_PSK_FILE = "tls-psk-file";

  /** What is known about TLS, in the order in which it is printed. */
  private static final List<String> TLS_PARAMETERS =
      List.of(
          TLS_CERTIFICATES,
          TLS_PSK_FILE,
          "tls-type",
          TLS_HOSTNAME,
          "tls-verify-peer",
          "tls-username");

  /** Where a server is. */
  public sealed interface Place {
    /** A host, by name or number, and a port. */
    record Tcp(String host, int port) implements Place {}

    /** A unix socket; a name that begins with NUL is abstract. */
    record Unix(String path) implements Place {}

    /** A VM socket. */
    record Vsock(int contextId, int port) implements Place {}
  }

  /** Copies the map. */
  public NbdUri {
    parameters = Map.copyOf(parameters);
  }

  /** Whether a text is meant to be an NBD URI. */
  public static boolean looksLike(String text) {
    return text.matches("nbds?(\\+(unix|vsock|tcp))?://.*");
  }

  /** The name to expect in the server's certificate. */
  public Optional<String> tlsHostname() {
    String named = parameters.get(TLS_HOSTNAME);
    if (named != null) {
      return Optional.of(named);
    }
    return place instanceof Place.Tcp(String host, _) ? Optional.of(host) : Optional.empty();
  }

  /** Whether the other side's certificate is to be judged at all. */
  public boolean tlsVerifyPeer() {
    return switch (parameters.getOrDefault("tls-verify-peer", "1")) {
      case "0", "false", "no", "off" -> false;
      default -> true;
    };
  }

  /** The same server's URI of another export. */
  public NbdUri withExport(String name) {
    return new NbdUri(tls, place, user, name, parameters);
  }

  /** The URI as a user would write it. */
  @Override
  public String toString() {
    String scheme = tls ? "nbds" : "nbd";
    String at = user.isEmpty() ? "" : encoded(user) + "@";
    String authority =
        switch (place) {
          case Place.Unix _ -> "+unix://" + at;
          case Place.Tcp(String host, int port) ->
              "://"
                  + at
                  + (host.contains(":") ? "[" + host + "]" : host)
                  + (port == PORT ? "" : ":" + port);
          case Place.Vsock(int contextId, int port) -> "+vsock://" + at + contextId + ":" + port;
        };
    return scheme + authority + "/" + encoded(export) + query();
  }

  private String query() {
    var parts = new ArrayList<String>();
    if (place instanceof Place.Unix(String path)) {
      parts.add(socketQuery(path).substring(1));
    }
    for (String key : TLS_PARAMETERS) {
      String value = parameters.get(key);
      if (value != null) {
        parts.add(key + "=" + encoded(value).replace("%2F", "/"));
      }
    }
    return parts.isEmpty() ? "" : "?" + String.join("&", parts);
  }

  /** The part of a URI that names a unix socket: {@code ?socket=} and the path, encoded. */
  public static String socketQuery(String path) {
    return "?socket=" + encoded(path).replace("%2F", "/");
  }

  /** A name as a part of a URI's path. */
  public static String encoded(String name) {
    return URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
  }

  /**
   * Takes a URI apart.
   *
   * @throws IllegalArgumentException with words that name the part which is wrong
   */
  public static NbdUri parse(String text) {
    if (text.length() > LENGTH_MAX) {
      throw new IllegalArgumentException("URI is longer than " + LENGTH_MAX + " characters");
    }
    int colon = text.indexOf("://");
    if (colon < 0) {
      throw new IllegalArgumentException("URI has no scheme: " + text);
    }
    String scheme = text.substring(0, colon);
    String rest = text.substring(colon + 3);
    if (rest.indexOf('#') >= 0) {
      throw new IllegalArgumentException("URI has a fragment: " + text);
    }
    int question = rest.indexOf('?');
    String query = question < 0 ? "" : rest.substring(question + 1);
    String hierarchy = question < 0 ? rest : rest.substring(0, question);
    int slash = hierarchy.indexOf('/');
    String authority = slash < 0 ? hierarchy : hierarchy.substring(0, slash);
    String path = slash < 0 ? "" : decode(hierarchy.substring(slash + 1));
    Map<String, String> parameters = parameters(query);
    int at = authority.lastIndexOf('@');
    String user = at < 0 ? "" : decode(authority.substring(0, at));
    Place place = place(scheme, authority.substring(at + 1), parameters);
    return new NbdUri(scheme.startsWith("nbds"), place, user, path, parameters);
  }

  private static Place place(String scheme, String authority, Map<String, String> parameters) {
    String socket = parameters.remove("socket");
    return switch (scheme) {
      case "nbd+unix", "nbds+unix" -> unix(socket, authority);
      case "nbd", "nbds", "nbd+tcp", "nbds+tcp", "nbd+vsock", "nbds+vsock" -> {
        if (socket != null) {
          throw new IllegalArgumentException("'socket' is for nbd+unix URIs");
        }
        yield hostAndPort(scheme.endsWith("vsock"), authority);
      }
      default -> throw new IllegalArgumentException("URI scheme '" + scheme + "' is not NBD's");
    };
  }

  private static Place unix(@Nullable String socket, String authority) {
    if (socket == null || socket.isEmpty()) {
      throw new IllegalArgumentException("URI of a unix socket needs '?socket=PATH'");
    }
    if (!authority.isEmpty()) {
      throw new IllegalArgumentException(
          "URI of a unix socket has a host '" + authority + "'; a third slash is needed");
    }
    return new Place.Unix(socket);
  }

  private static Place hostAndPort(boolean vsock, String authority) {
    int bracket = authority.lastIndexOf(']');
    int colon = authority.indexOf(':', Math.max(0, bracket));
    String host = colon < 0 ? authority : authority.substring(0, colon);
    String digits = colon < 0 ? "" : authority.substring(colon + 1);
    int port = digits.isEmpty() ? PORT : number("port", digits, vsock ? Integer.MAX_VALUE : 0xffff);
    if (vsock) {
      return new Place.Vsock(
          number("context id", host.isEmpty() ? "1" : host, Integer.MAX_VALUE), port);
    }
    if (host.startsWith("[") && host.endsWith("]")) {
      return new Place.Tcp(host.substring(1, host.length() - 1), port);
    }
    return new Place.Tcp(host.isEmpty() ? "localhost" : decode(host), port);
  }

  private static int number(String what, String digits, int most) {
    if (!digits.matches("\\d{1,10}") || Long.parseLong(digits) > most) {
      throw new IllegalArgumentException("%s '%s' is not in 0..%d".formatted(what, digits, most));
    }
    return Integer.parseInt(digits);
  }

  private static Map<String, String> parameters(String query) {
    var parameters = new LinkedHashMap<String, String>();
    for (String pair : query.split("&", -1)) {
      if (pair.isEmpty()) {
        continue;
      }
      int equals = pair.indexOf('=');
      String key = decode(equals < 0 ? pair : pair.substring(0, equals));
      String value = equals < 0 ? "" : decode(pair.substring(equals + 1));
      if (!key.equals("socket") && !TLS_PARAMETERS.contains(key)) {
        throw new IllegalArgumentException("unknown URI parameter '" + key + "'");
      }
      if (parameters.put(key, value) != null) {
        throw new IllegalArgumentException("URI parameter '" + key + "' is there twice");
      }
    }
    return parameters;
  }

  private static String decode(String text) {
    if (text.indexOf('%') < 0) {
      return text;
    }
    var bytes = new ByteArrayOutputStream();
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) != '%') {
        bytes.writeBytes(text.substring(i, i + 1).getBytes(StandardCharsets.UTF_8));
        continue;
      }
      String hex = text.substring(i + 1, Math.min(i + 3, text.length()));
      if (!hex.matches("[0-9a-fA-F]{2}")) {
        throw new IllegalArgumentException("URI has '%' without two hexadecimal digits");
      }
      bytes.write(Integer.parseInt(hex, 16));
      i += 2;
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
