package hawser.nbd.server;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.nbd.transport.ChannelTransport;
import hawser.sys.SocketAddress;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/** Accepts through the JDK's channels, where native calls cannot be made. */
final class ChannelAcceptor extends Acceptor {
  private final NbdServer server;
  private final ServerSocketChannel channel;
  private final SocketAddress address;

  private ChannelAcceptor(NbdServer server, ServerSocketChannel channel, SocketAddress address) {
    this.server = server;
    this.channel = channel;
    this.address = address;
  }

  static ChannelAcceptor bind(NbdServer server, SocketAddress address) throws BlockFault {
    try {
      return switch (address) {
        case SocketAddress.Unix(String path) -> {
          var channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
          channel.bind(UnixDomainSocketAddress.of(path));
          yield new ChannelAcceptor(server, channel, address);
        }
        case SocketAddress.Tcp(var host, int port) -> {
          var channel = ServerSocketChannel.open();
          channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
          channel.bind(new InetSocketAddress(host, port));
          int actual = ((InetSocketAddress) channel.getLocalAddress()).getPort();
          yield new ChannelAcceptor(server, channel, new SocketAddress.Tcp(host, actual));
        }
        case SocketAddress.Vsock _ ->
            throw new BlockFault(Errno.EAFNOSUPPORT, "VM sockets need native calls");
      };
    } catch (IOException e) {
      throw new BlockFault(
          Errno.EADDRINUSE,
          "Failed to bind socket to " + SocketAcceptor.words(address) + ": " + e.getMessage(),
          e);
    }
  }

  @Override
  SocketAddress address() {
    return address;
  }

  @Override
  public void run() {
    try {
      while (server.awaitRoom()) {
        SocketChannel client = channel.accept();
        if (address instanceof SocketAddress.Tcp) {
          client.setOption(StandardSocketOptions.TCP_NODELAY, true);
        }
        server.accept(new ChannelTransport(client), address);
      }
    } catch (ClosedChannelException e) {
      // The way in which this thread is told to end.
      return;
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Override
  void wake() {
    release();
  }

  @Override
  void release() {
    try {
      channel.close();
      if (address instanceof SocketAddress.Unix(String path)) {
        Files.deleteIfExists(Path.of(path));
      }
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
