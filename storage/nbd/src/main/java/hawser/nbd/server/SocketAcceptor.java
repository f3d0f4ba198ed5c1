package hawser.nbd.server;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.nbd.transport.SocketTransport;
import hawser.sys.FileCalls;
import hawser.sys.Result;
import hawser.sys.SocketAddress;
import hawser.sys.SocketCalls;
import java.io.File;
import java.util.concurrent.locks.LockSupport;

/** Accepts through system calls. */
final class SocketAcceptor extends Acceptor {
  private static final int BACKLOG = 128;

  /** How long to wait for descriptors to become free before accepting again. */
  private static final long RETRY_NANOS = 100_000_000;

  private final NbdServer server;
  private final int fd;
  private final SocketAddress address;
  private final boolean ownsPath;
  private volatile boolean closing;

  /** Takes over a listening descriptor; removes a unix socket's path at the end if told to. */
  SocketAcceptor(NbdServer server, int fd, SocketAddress address, boolean ownsPath) {
    this.server = server;
    this.fd = fd;
    this.address = address;
    this.ownsPath = ownsPath;
  }

  static SocketAcceptor bind(NbdServer server, SocketAddress address) throws BlockFault {
    int fd = (int) Result.orFault(SocketCalls.socket(address), "Failed to create socket");
    boolean bound = false;
    try {
      SocketCalls.setOption(fd, SocketCalls.SOL_SOCKET, SocketCalls.SO_REUSEADDR, 1);
      Result.orFault(SocketCalls.bindTo(fd, address), "Failed to bind socket to " + words(address));
      Result.orFault(SocketCalls.listen(fd, BACKLOG), "Failed to listen on socket");
      bound = true;
    } finally {
      if (!bound) {
        FileCalls.close(fd);
      }
    }
    SocketAddress actual =
        address instanceof SocketAddress.Tcp(var host, int port) && port == 0
            ? new SocketAddress.Tcp(host, (int) SocketCalls.localPort(fd))
            : address;
    return new SocketAcceptor(server, fd, actual, true);
  }

  static String words(SocketAddress address) {
    return switch (address) {
      case SocketAddress.Unix(String path) -> path;
      case SocketAddress.Tcp(var host, int port) -> host.getHostAddress() + ":" + port;
      case SocketAddress.Vsock(int contextId, int port) -> contextId + ":" + port;
    };
  }

  @Override
  SocketAddress address() {
    return address;
  }

  @Override
  public void run() {
    while (!closing && server.awaitRoom()) {
      long client = SocketCalls.accept(fd);
      if (!Result.failed(client)) {
        server.accept(new SocketTransport((int) client), address);
      } else if (outOfDescriptors(Result.errno(client))) {
        LockSupport.parkNanos(this, RETRY_NANOS);
      } else if (Result.errno(client) != Errno.ECONNABORTED) {
        return;
      }
    }
  }

  private static boolean outOfDescriptors(Errno errno) {
    return switch (errno) {
      case EMFILE, ENFILE, ENOBUFS, ENOMEM -> true;
      default -> false;
    };
  }

  @Override
  void wake() {
    closing = true;
    SocketCalls.shutdown(fd, SocketCalls.SHUT_RDWR);
  }

  /** Whether the path is gone; if not, whoever listens next says that it is in use. */
  private static boolean removePath(String path) {
    return new File(path).delete();
  }

  @Override
  void release() {
    FileCalls.close(fd);
    if (ownsPath && address instanceof SocketAddress.Unix(String path) && !path.startsWith("\0")) {
      boolean _ = removePath(path);
    }
  }
}
