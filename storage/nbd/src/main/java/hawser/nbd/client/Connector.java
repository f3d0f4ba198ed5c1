package hawser.nbd.client;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.PeerFault;
import hawser.nbd.NbdUri;
import hawser.nbd.NbdUri.Place;
import hawser.nbd.ReplyStyle;
import hawser.nbd.tls.TlsSide;
import hawser.nbd.transport.ChannelTransport;
import hawser.nbd.transport.SocketTransport;
import hawser.nbd.transport.Transport;
import hawser.sys.FileCalls;
import hawser.sys.Linux;
import hawser.sys.Result;
import hawser.sys.SocketAddress;
import hawser.sys.SocketCalls;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.SocketChannel;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How to reach one export: makes as many connections as are wanted. Safe from any thread.
 *
 * @param place where the server is
 * @param export the export's name
 * @param contexts metadata contexts to ask for
 * @param best the best reply style to agree on
 * @param tls credentials when the connection must be encrypted, or null
 */
public record Connector(
    Place place, String export, List<String> contexts, ReplyStyle best, @Nullable TlsSide tls) {
  /** Copies the list. */
  public Connector {
    contexts = List.copyOf(contexts);
  }

  /** What a URI says, with {@code base:allocation} and everything that speeds things up. */
  public static Connector of(NbdUri uri, @Nullable TlsSide tls) {
    return new Connector(
        uri.place(),
        uri.export(),
        List.of(hawser.nbd.MetaContext.BASE_ALLOCATION),
        ReplyStyle.EXTENDED,
        tls);
  }

  /** The same, asking for other contexts. */
  public Connector withContexts(List<String> names) {
    return new Connector(place, export, names, best, tls);
  }

  /**
   * Connects and chooses the export.
   *
   * @throws BlockFault in QEMU's words
   */
  public NbdClient connect() throws BlockFault {
    ClientHandshake handshake = handshake();
    boolean done = false;
    try {
      handshake.agreeOnStyle(best);
      if (handshake.hasOptions()) {
        handshake.chooseContexts(export, contexts);
      }
      ServerInfo info = handshake.go(export);
      done = true;
      return new NbdClient(handshake.transport(), info);
    } catch (PeerFault e) {
      throw new BlockFault(Errno.EINVAL, String.valueOf(e.getMessage()), e);
    } finally {
      if (!done) {
        handshake.transport().close();
      }
    }
  }

  /** Connects, and encrypts if that is wanted; the rest of the handshake is the caller's. */
  public ClientHandshake handshake() throws BlockFault {
    Transport transport = open();
    var handshake = new ClientHandshake(transport);
    boolean done = false;
    try {
      handshake.greet();
      if (tls != null) {
        handshake.startTls(tls);
      }
      done = true;
      return handshake;
    } catch (PeerFault e) {
      throw new BlockFault(Errno.EINVAL, String.valueOf(e.getMessage()), e);
    } finally {
      if (!done) {
        handshake.transport().close();
      }
    }
  }

  private Transport open() throws BlockFault {
    return switch (place) {
      case Place.Unix(String path) -> unix(path);
      case Place.Tcp(String host, int port) -> tcp(host, port);
      case Place.Vsock(int contextId, int port) ->
          connected(
              new SocketAddress.Vsock(contextId, port),
              "Failed to connect to '%d:%d'".formatted(contextId, port));
    };
  }

  private static Transport unix(String path) throws BlockFault {
    try {
      return connected(new SocketAddress.Unix(path), "Failed to connect to '" + path + "'");
    } catch (IllegalArgumentException e) {
      throw new BlockFault(Errno.EINVAL, String.valueOf(e.getMessage()), e);
    }
  }

  private static Transport tcp(String host, int port) throws BlockFault {
    InetAddress[] addresses;
    try {
      addresses = InetAddress.getAllByName(host);
    } catch (UnknownHostException e) {
      throw new BlockFault(
          Errno.EINVAL,
          "address resolution failed for %s:%d: Name or service not known".formatted(host, port),
          e);
    }
    BlockFault last = null;
    for (InetAddress address : addresses) {
      try {
        return connected(
            new SocketAddress.Tcp(address, port),
            "Failed to connect to '%s:%d'".formatted(host, port));
      } catch (BlockFault e) {
        last = e;
      }
    }
    throw last == null ? new BlockFault(Errno.EINVAL, host + " has no address") : last;
  }

  private static Transport connected(SocketAddress address, String doing) throws BlockFault {
    if (!Linux.available()) {
      return channel(address, doing);
    }
    int fd = (int) Result.orFault(SocketCalls.socket(address), "Failed to create socket");
    long result = SocketCalls.connect(fd, address);
    if (Result.failed(result)) {
      FileCalls.close(fd);
      throw BlockFault.of(Result.errno(result), doing);
    }
    return new SocketTransport(fd);
  }

  private static Transport channel(SocketAddress address, String doing) throws BlockFault {
    try {
      return new ChannelTransport(
          switch (address) {
            case SocketAddress.Unix(String path) ->
                SocketChannel.open(UnixDomainSocketAddress.of(path));
            case SocketAddress.Tcp(var host, int port) ->
                SocketChannel.open(new InetSocketAddress(host, port));
            case SocketAddress.Vsock _ ->
                throw new BlockFault(Errno.EAFNOSUPPORT, "VM sockets need native calls");
          });
    } catch (IOException e) {
      throw new BlockFault(Errno.ECONNREFUSED, doing + ": " + e.getMessage(), e);
    }
  }
}
