package hawser.tools.up;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.UsageFault;
import hawser.block.BlockNode;
import hawser.nbd.server.ClientInfo;
import hawser.nbd.server.Export;
import hawser.nbd.server.NbdServer;
import hawser.nbd.server.ServerListener;
import hawser.nbd.server.ServerOptions;
import hawser.sys.Linux;
import hawser.sys.SocketAddress;
import hawser.tools.StaleSocket;
import hawser.tools.Terminal;
import java.net.InetAddress;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A disk on its NBD sockets and, for guests, on a vhost-user one. Closing it disconnects the
 * clients and flushes the disk.
 */
final class Service implements AutoCloseable {
  private final NbdServer server;
  private final Path socket;
  private final int port;
  private final @Nullable GuestSocket guest;

  /** Listens on all; {@code port} 0 takes any free one. */
  Service(BlockNode disk, Path socket, int port, Path blkSocket, Terminal io) throws BlockFault {
    this.socket = socket;
    this.server = new NbdServer(ServerOptions.DEFAULT, new ClientLines(io));
    boolean listening = false;
    try {
      server.add(Export.of("", disk, !disk.readOnly()));
      StaleSocket.remove(socket, "--socket takes another one");
      server.listen(new SocketAddress.Unix(socket.toString()));
      this.port = listenOnPort(port);
      // A guest shares its memory with us, which takes more than Java's own sockets.
      this.guest =
          Linux.available() ? new GuestSocket(disk, blkSocket, new ClientLines(io)::say) : null;
      listening = true;
    } finally {
      if (!listening) {
        server.close();
      }
    }
  }

  private int listenOnPort(int wanted) throws BlockFault {
    var address = new SocketAddress.Tcp(InetAddress.getLoopbackAddress(), wanted);
    try {
      return server.listen(address) instanceof SocketAddress.Tcp(_, int actual) ? actual : wanted;
    } catch (BlockFault fault) {
      if (fault.errno() == Errno.EADDRINUSE) {
        throw new UsageFault(
            "port "
                + wanted
                + " of 127.0.0.1 is taken, perhaps by another 'hawser up';"
                + " --port takes another one");
      }
      throw fault;
    }
  }

  /** The unix socket's path. */
  Path socket() {
    return socket;
  }

  /** The port on 127.0.0.1. */
  int port() {
    return port;
  }

  /** The unix socket for a guest, or null where there is none. */
  @Nullable Path guestSocket() {
    return guest == null ? null : guest.path();
  }

  @Override
  public void close() throws BlockFault {
    if (guest != null) {
      guest.close();
    }
    server.close();
  }

  /** Says who comes and goes. */
  private record ClientLines(Terminal io) implements ServerListener {
    @Override
    public void clientConnected(ClientInfo client) {
      say("client " + client.number() + " is connected through " + way(client));
    }

    @Override
    public void clientGone(ClientInfo client, String why) {
      say("client " + client.number() + " is gone: " + why);
    }

    private static String way(ClientInfo client) {
      return switch (client.through()) {
        case SocketAddress.Unix _ -> "the unix socket";
        case SocketAddress.Tcp(_, int port) -> "port " + port;
        case SocketAddress.Vsock _ -> "a VM socket";
      };
    }

    private void say(String text) {
      synchronized (io) {
        io.line(text);
        io.flush();
      }
    }
  }
}
