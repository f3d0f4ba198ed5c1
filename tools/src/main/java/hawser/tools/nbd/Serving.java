package hawser.tools.nbd;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.UsageFault;
import hawser.block.BlockNode;
import hawser.nbd.TlsMode;
import hawser.nbd.server.ClientInfo;
import hawser.nbd.server.NbdServer;
import hawser.nbd.server.ServerListener;
import hawser.nbd.server.ServerOptions;
import hawser.nbd.tls.TlsSide;
import hawser.sys.SocketAddress;
import hawser.tools.StopSignal;
import hawser.tools.Terminal;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** One disk being served, until the last client has gone or a signal says so. */
final class Serving implements ServerListener {
  private static final int PORT = 10809;

  /** The first descriptor that a service manager hands over (sd_listen_fds). */
  private static final int ACTIVATED_DESCRIPTOR = 3;

  private final NbdLine line;
  private final @Nullable TlsSide tls;
  private final Terminal io;
  private final StopSignal end = new StopSignal();
  private @Nullable NbdServer server;

  Serving(NbdLine line, @Nullable TlsSide tls, Terminal io) {
    this.line = line;
    this.tls = tls;
    this.io = io;
  }

  /** Serves until the end; may be called once. */
  int run() {
    try (end) {
      return serve();
    } catch (UsageFault fault) {
      end.exitWith(fault.exitCode());
      throw fault;
    }
  }

  private int serve() {
    int activated = Activation.descriptors(line);
    var disk = new ServedDisk(line, io);
    var options =
        ServerOptions.DEFAULT
            .withConnectionsMax(line.shared)
            .withHandshakeLimit(Duration.ofSeconds(line.handshakeSeconds));
    TlsSide side = tls;
    var serving =
        new NbdServer(side == null ? options : options.withTls(TlsMode.FORCED, side), this);
    server = serving;
    BlockNode node = disk.open();
    try {
      serving.add(disk.export(node));
      listen(serving, activated);
      writePid();
      Background.ready(io);
      end.await();
      serving.stop();
      node.close();
      return 0;
    } catch (BlockFault e) {
      throw new UsageFault(String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      throw new AssertionError("nobody interrupts the main thread", e);
    } finally {
      io.flush();
    }
  }

  private void listen(NbdServer serving, int activated) throws BlockFault {
    if (activated > 0) {
      serving.listen(ACTIVATED_DESCRIPTOR, new SocketAddress.Unix(""));
    } else if (line.socket != null) {
      try {
        Files.deleteIfExists(Path.of(line.socket));
      } catch (IOException e) {
        throw new UsageFault("Failed to unlink socket " + line.socket + ": " + e.getMessage());
      }
      listen(serving, unix(line.socket));
    } else {
      listen(serving, tcp());
    }
  }

  private static void listen(NbdServer serving, SocketAddress address) throws BlockFault {
    try {
      serving.listen(address);
    } catch (BlockFault e) {
      if (address instanceof SocketAddress.Tcp && e.errno() == Errno.EADDRINUSE) {
        throw new UsageFault("Failed to find an available port: " + e.errno().text());
      }
      throw e;
    }
  }

  private static SocketAddress unix(String path) {
    try {
      return new SocketAddress.Unix(path);
    } catch (IllegalArgumentException e) {
      throw new UsageFault(String.valueOf(e.getMessage()));
    }
  }

  private SocketAddress tcp() {
    String host = line.bind == null ? "0.0.0.0" : line.bind;
    String port = line.port == null ? String.valueOf(PORT) : line.port;
    try {
      int number = Integer.parseInt(port);
      if (number >= 0 && number <= 0xffff) {
        return new SocketAddress.Tcp(InetAddress.getByName(host), number);
      }
    } catch (UnknownHostException e) {
      throw new UsageFault(
          "address resolution failed for %s:%s: Name or service not known".formatted(host, port));
    } catch (NumberFormatException e) {
      throw new UsageFault(
          "address resolution failed for %s:%s: Servname not supported for ai_socktype"
              .formatted(host, port));
    }
    throw new UsageFault("port " + port + " is not in 0..65535");
  }

  private void writePid() {
    if (line.pidFile != null) {
      try {
        Files.writeString(Path.of(line.pidFile), ProcessHandle.current().pid() + "\n");
      } catch (IOException e) {
        throw new UsageFault("Cannot open pid file: " + e.getMessage());
      }
    }
  }

  @Override
  public void handshakeFailed(ClientInfo client, String why) {
    io.error("qemu-nbd: option negotiation failed: " + why);
  }

  @Override
  public void clientGone(ClientInfo client, String why) {
    NbdServer serving = server;
    if (client.begun() && !line.persistent && serving != null && serving.clients() == 0) {
      end.stop();
    }
  }
}
