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
import hawser.sys.SocketAddress;
import hawser.tools.Terminal;
import java.io.IOException;
import java.net.InetAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/** A disk on its two sockets. Closing it disconnects the clients and flushes the disk. */
final class Service implements AutoCloseable {
  private final NbdServer server;
  private final Path socket;
  private final int port;

  /** Listens on both; {@code port} 0 takes any free one. */
  Service(BlockNode disk, Path socket, int port, Terminal io) throws BlockFault {
    this.socket = socket;
    this.server = new NbdServer(ServerOptions.DEFAULT, new ClientLines(io));
    boolean listening = false;
    try {
      server.add(Export.of("", disk, !disk.readOnly()));
      removeStale(socket);
      server.listen(new SocketAddress.Unix(socket.toString()));
      this.port = listenOnPort(port);
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

  /** A socket file whose owner was killed would be in the way for ever. */
  private static void removeStale(Path socket) {
    if (!Files.exists(socket)) {
      return;
    }
    try (var probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      if (probe.connect(UnixDomainSocketAddress.of(socket))) {
        throw new UsageFault(socket + " is in use by another server; --socket takes another one");
      }
    } catch (java.net.ConnectException nobody) {
      remove(socket);
    } catch (IOException e) {
      throw new UsageFault(socket + " is there and cannot be replaced: " + e.getMessage());
    }
  }

  private static void remove(Path socket) {
    try {
      Files.delete(socket);
    } catch (IOException e) {
      throw new UsageFault(socket + " is left over and cannot be removed: " + e.getMessage());
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

  @Override
  public void close() throws BlockFault {
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
