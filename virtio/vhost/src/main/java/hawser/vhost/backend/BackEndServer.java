package hawser.vhost.backend;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.ThreadEnd;
import hawser.sys.FileCalls;
import hawser.sys.Result;
import hawser.sys.SocketAddress;
import hawser.sys.SocketCalls;

/**
 * A device on a socket: serves one front-end after the other on a listening one, and a single one
 * on a connected one, on a thread of its own until it is closed.
 */
public final class BackEndServer implements AutoCloseable {
  private final BackEnd backEnd;
  private final int fd;
  private final boolean listening;
  private final Thread thread;
  private volatile boolean closing;

  private BackEndServer(Device device, BackEndOptions options, int fd, Runnable ended) {
    this.backEnd = new BackEnd(device, options);
    this.fd = fd;
    this.listening = SocketCalls.isListening(fd) == 1;
    this.thread =
        Thread.ofPlatform()
            .daemon()
            .name(device.name() + "-connection")
            .unstarted(() -> run(ended));
  }

  /** Serves on a unix socket's path, which nobody uses yet. */
  public static BackEndServer listen(
      Device device, BackEndOptions options, SocketAddress.Unix address) throws BlockFault {
    return serve(device, options, listen(address), () -> {});
  }

  /** A listening socket at a path, which nobody uses yet; answers a descriptor. */
  public static int listen(SocketAddress.Unix address) throws BlockFault {
    int fd = (int) Result.orFault(SocketCalls.socket(address), "socket");
    boolean bound = false;
    try {
      Result.orFault(SocketCalls.bindTo(fd, address), "cannot listen on " + address.path());
      Result.orFault(SocketCalls.listen(fd, 1), "cannot listen on " + address.path());
      bound = true;
    } finally {
      if (!bound) {
        FileCalls.close(fd);
      }
    }
    return fd;
  }

  /**
   * Serves on an open socket, connected or listening, which it takes over.
   *
   * @param ended called when no front-end can come any more
   */
  public static BackEndServer serve(Device device, BackEndOptions options, int fd, Runnable ended) {
    var server = new BackEndServer(device, options, fd, ended);
    server.thread.start();
    return server;
  }

  private void run(Runnable ended) {
    if (listening) {
      accept();
    } else {
      backEnd.serve(fd);
    }
    ended.run();
  }

  private void accept() {
    while (!closing) {
      long client = SocketCalls.accept(fd);
      if (!Result.failed(client)) {
        backEnd.serve((int) client);
      } else if (Result.errno(client) != Errno.ECONNABORTED) {
        break;
      }
    }
    FileCalls.close(fd);
  }

  /** Disconnects the front-end; returns when nothing of its is in use. The device stays open. */
  @Override
  public void close() {
    closing = true;
    if (listening) {
      SocketCalls.shutdown(fd, SocketCalls.SHUT_RDWR);
    }
    backEnd.close();
    ThreadEnd.await(thread);
  }
}
