package hawser.nbd.client;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.json.Json;
import hawser.block.BlockNode;
import hawser.block.CreateOption;
import hawser.block.CreateOptions;
import hawser.block.Driver;
import hawser.block.ExistingTarget;
import hawser.block.OpenMode;
import hawser.block.Opener;
import hawser.block.Options;
import hawser.block.filter.AlignedNode;
import hawser.nbd.MetaContext;
import hawser.nbd.NbdLimits;
import hawser.nbd.NbdUri;
import hawser.nbd.NbdUri.Place;
import hawser.nbd.ReplyStyle;
import hawser.nbd.tls.TlsCredentials;
import hawser.nbd.tls.TlsSide;
import hawser.nbd.tls.UriCredentials;
import hawser.sys.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Opens {@code nbd}: an export of a server, by URI, by QEMU's older names ({@code
 * nbd:host:port:exportname=x}, {@code nbd:unix:path:exportname=x}) or by options. Register it with
 * {@code new Opener(policy, new NbdDriver())}.
 */
public final class NbdDriver implements Driver {
  private static final String EXPORT_NAME = ":exportname=";

  private final TlsCredentials credentials;

  /** A driver that knows no TLS credentials by name. */
  public NbdDriver() {
    this(TlsCredentials.NONE);
  }

  /** A driver whose option {@code tls-creds} names one of these. */
  public NbdDriver(TlsCredentials credentials) {
    this.credentials = credentials;
  }

  @Override
  public String name() {
    return "nbd";
  }

  @Override
  public List<CreateOption> createOptions() {
    return ExistingTarget.OPTIONS;
  }

  @Override
  public void create(String name, CreateOptions options, Opener opener) throws BlockFault {
    ExistingTarget.create(this, name, options, opener);
  }

  @Override
  public Set<String> protocols() {
    return Set.of(
        "nbd", "nbd+tcp", "nbd+unix", "nbd+vsock", "nbds", "nbds+tcp", "nbds+unix", "nbds+vsock");
  }

  @Override
  public Options fromName(String name) throws BlockFault {
    if (name.contains("://")) {
      return fromUri(name);
    }
    int export = name.indexOf(EXPORT_NAME);
    String address = export < 0 ? name : name.substring(0, export);
    var options = new Options().put("driver", Json.of("nbd"));
    if (export >= 0 && export + EXPORT_NAME.length() < name.length()) {
      options.put("export", Json.of(name.substring(export + EXPORT_NAME.length())));
    }
    if (!address.startsWith("nbd:")) {
      throw new BlockFault(Errno.EINVAL, "File name string for NBD must start with 'nbd:'");
    }
    String host = address.substring("nbd:".length());
    if (host.startsWith("unix:")) {
      return server(options, "unix", "path", host.substring("unix:".length()));
    }
    int colon = host.lastIndexOf(':');
    if (colon <= 0 || colon == host.length() - 1) {
      throw new BlockFault(Errno.EINVAL, "error parsing address '" + host + "'");
    }
    String bare = host.substring(0, colon);
    if (bare.startsWith("[") && bare.endsWith("]")) {
      bare = bare.substring(1, bare.length() - 1);
    }
    server(options, "inet", "host", bare);
    return options.putDotted("server.port", Json.of(host.substring(colon + 1)));
  }

  private static Options server(Options options, String type, String key, String value) {
    return options
        .putDotted("server.type", Json.of(type))
        .putDotted("server." + key, Json.of(value));
  }

  private static Options fromUri(String name) throws BlockFault {
    NbdUri uri;
    try {
      uri = NbdUri.parse(name);
    } catch (IllegalArgumentException e) {
      throw new BlockFault(Errno.EINVAL, "No valid URL specified", e);
    }
    var options = new Options().put("driver", Json.of("nbd"));
    if (!uri.export().isEmpty()) {
      options.put("export", Json.of(uri.export()));
    }
    switch (uri.place()) {
      case Place.Unix(String path) -> server(options, "unix", "path", path);
      case Place.Tcp(String host, int port) -> {
        server(options, "inet", "host", host);
        options.putDotted("server.port", Json.of(String.valueOf(port)));
      }
      case Place.Vsock(int contextId, int port) -> {
        server(options, "vsock", "cid", String.valueOf(contextId));
        options.putDotted("server.port", Json.of(String.valueOf(port)));
      }
    }
    if (uri.tls()) {
      options.put("tls-creds", Json.of(TlsCredentials.URI_PREFIX + name));
    }
    return options;
  }

  @Override
  public BlockNode open(Options options, Opener opener, OpenMode mode) throws BlockFault {
    Place place = place(options);
    String export = bounded(options.text("export").orElse(""), "export name");
    Optional<String> bitmap = options.text("x-dirty-bitmap");
    if (bitmap.isPresent()) {
      bounded(bitmap.get(), "x-dirty-bitmap query");
    }
    long reconnect = seconds(options, "reconnect-delay");
    long open = seconds(options, "open-timeout");
    TlsSide tls = tls(options, place);
    var connector =
        new Connector(
            place,
            export,
            List.of(bitmap.orElse(MetaContext.BASE_ALLOCATION)),
            ReplyStyle.EXTENDED,
            tls);
    Connected connection = Connected.open(connector, open, reconnect);
    try {
      check(connection.server(), bitmap, mode);
    } catch (BlockFault e) {
      connection.close();
      throw e;
    }
    var node = new NbdNode(name(place, export), connection, mode);
    return node.limits().alignment() > 1 ? new AlignedNode(node) : node;
  }

  private static void check(ServerInfo server, Optional<String> bitmap, OpenMode mode)
      throws BlockFault {
    if (bitmap.isPresent() && server.contexts().isEmpty()) {
      throw new BlockFault(Errno.EINVAL, "requested x-dirty-bitmap " + bitmap.get() + " not found");
    }
    if (mode.writable() && server.readOnly()) {
      throw new BlockFault(Errno.EACCES, "request on write denied without write permission");
    }
  }

  private static String bounded(String text, String what) throws BlockFault {
    if (text.getBytes(StandardCharsets.UTF_8).length > NbdLimits.STRING_BYTES_MAX) {
      throw new BlockFault(Errno.EINVAL, what + " too long to send to server");
    }
    return text;
  }

  private static long seconds(Options options, String key) throws BlockFault {
    OptionalLong value = options.number(key);
    if (value.isPresent() && (value.getAsLong() < 0 || value.getAsLong() > Integer.MAX_VALUE)) {
      throw new BlockFault(Errno.EINVAL, "Parameter '" + key + "' expects a number of seconds");
    }
    return value.orElse(0);
  }

  private @Nullable TlsSide tls(Options options, Place place) throws BlockFault {
    Optional<String> id = options.text("tls-creds");
    Optional<String> hostname = options.text("tls-hostname");
    if (id.isEmpty()) {
      return null;
    }
    String expected =
        hostname.isPresent()
            ? hostname.get()
            : place instanceof Place.Tcp(String host, _) ? host : null;
    if (id.get().startsWith(TlsCredentials.URI_PREFIX)) {
      try {
        return UriCredentials.of(
            NbdUri.parse(id.get().substring(TlsCredentials.URI_PREFIX.length())));
      } catch (IllegalArgumentException e) {
        throw new BlockFault(Errno.EINVAL, "No valid URL specified", e);
      }
    }
    return credentials.client(id.get(), expected);
  }

  private static Place place(Options options) throws BlockFault {
    Optional<String> path = options.text("path");
    Optional<String> host = options.text("host");
    Optional<String> port = options.text("port");
    Optional<Options> server = options.child("server");
    if (path.isPresent() || host.isPresent() || port.isPresent()) {
      if (server.isPresent()) {
        throw new BlockFault(
            Errno.EINVAL, "Cannot use 'server' and path/host/port at the same time");
      }
      if (path.isPresent() && host.isPresent()) {
        throw new BlockFault(Errno.EINVAL, "path and host may not be used at the same time");
      }
      if (host.isEmpty() && port.isPresent()) {
        throw new BlockFault(Errno.EINVAL, "port may not be used without host");
      }
      return path.isPresent()
          ? new Place.Unix(path.get())
          : tcp(host.orElseThrow(), port.orElse(String.valueOf(NbdUri.PORT)));
    }
    return of(server.orElseThrow(() -> new BlockFault(Errno.EINVAL, "NBD server address missing")));
  }

  private static Place of(Options server) throws BlockFault {
    String type = server.needed("type");
    Place place =
        switch (type) {
          case "inet" -> {
            Place found = tcp(server.needed("host"), server.needed("port"));
            // What remains chooses among the host's addresses, which the system does well.
            server.truth("ipv4");
            server.truth("ipv6");
            server.truth("keep-alive");
            yield found;
          }
          case "unix" -> {
            String path = server.needed("path");
            boolean named = !server.truth("abstract").orElse(false);
            boolean tight = server.truth("tight").orElse(true);
            yield new Place.Unix(named ? path : SocketAddress.abstractPath(path, tight));
          }
          case "vsock" -> vsock(server.needed("cid"), server.needed("port"));
          default ->
              throw new BlockFault(
                  Errno.EINVAL, "Parameter 'server.type' does not accept value '" + type + "'");
        };
    if (!server.left().isEmpty()) {
      throw new BlockFault(
          Errno.EINVAL, "Parameter 'server." + server.left().iterator().next() + "' is unexpected");
    }
    return place;
  }

  private static Place vsock(String contextId, String port) throws BlockFault {
    try {
      return new Place.Vsock(Integer.parseUnsignedInt(contextId), Integer.parseUnsignedInt(port));
    } catch (NumberFormatException e) {
      throw new BlockFault(Errno.EINVAL, "error parsing vsock address", e);
    }
  }

  private static Place tcp(String host, String port) throws BlockFault {
    try {
      int number = Integer.parseInt(port);
      if (number >= 0 && number <= 0xffff) {
        return new Place.Tcp(host, number);
      }
    } catch (NumberFormatException e) {
      throw new BlockFault(
          Errno.EINVAL,
          "address resolution failed for %s:%s: Servname not supported for ai_socktype"
              .formatted(host, port),
          e);
    }
    throw new BlockFault(Errno.EINVAL, "port " + port + " is not in 0..65535");
  }

  /** The name as QEMU shows it. */
  private static String name(Place place, String export) {
    return switch (place) {
      case Place.Unix(String path) ->
          export.isEmpty()
              ? "nbd+unix://?socket=" + path
              : "nbd+unix:///" + export + "?socket=" + path;
      case Place.Tcp(String host, int port) ->
          "nbd://" + host + ":" + port + (export.isEmpty() ? "" : "/" + export);
      case Place.Vsock(int contextId, int port) ->
          "nbd+vsock://" + contextId + ":" + port + (export.isEmpty() ? "" : "/" + export);
    };
  }
}
