package hawser.vhost.frontend;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.sys.FileCalls;
import hawser.sys.Result;
import hawser.sys.SocketAddress;
import hawser.sys.SocketCalls;
import java.nio.file.Path;
import java.time.Duration;

/** Ways to a back-end: it listens, or we do. */
public final class Sockets {
  private Sockets() {}

  /** Connects to a back-end that listens. */
  public static FrontEnd connect(Path path) throws BlockFault {
    return connect(path, FrontEnd.PATIENCE);
  }

  /** Connects to a back-end that listens, and gives each answer that much time. */
  public static FrontEnd connect(Path path, Duration patience) throws BlockFault {
    return new FrontEnd(connected(path), patience);
  }

  /** A descriptor connected to a unix socket; the caller owns it. */
  public static int connected(Path path) throws BlockFault {
    var address = new SocketAddress.Unix(path.toString());
    int fd = (int) Result.orFault(SocketCalls.socket(address), "socket");
    long result = SocketCalls.connect(fd, address);
    if (Result.failed(result)) {
      FileCalls.close(fd);
    }
    Result.orFault(result, "Failed to connect to '%s'".formatted(path));
    return fd;
  }

  /** Listens; back-ends connect. The caller owns the descriptor and removes the path. */
  public static int listening(Path path) throws BlockFault {
    var address = new SocketAddress.Unix(path.toString());
    int fd = (int) Result.orFault(SocketCalls.socket(address), "socket");
    long result = SocketCalls.bindTo(fd, address);
    if (!Result.failed(result)) {
      result = SocketCalls.listen(fd, 1);
    }
    if (Result.failed(result)) {
      FileCalls.close(fd);
    }
    Result.orFault(result, "Failed to listen on '%s'".formatted(path));
    return fd;
  }

  /** Takes the next back-end that connects to a listening descriptor. */
  public static FrontEnd accept(int listening, Duration patience) throws BlockFault {
    int wait = (int) Math.min(Integer.MAX_VALUE, patience.toMillis());
    long ready = SocketCalls.poll(listening, SocketCalls.POLLIN, wait);
    if (ready == 0) {
      throw new BlockFault(Errno.ETIMEDOUT, "no back-end connected within " + wait + " ms");
    }
    Result.orFault(ready, "poll");
    return new FrontEnd((int) Result.orFault(SocketCalls.accept(listening), "accept"), patience);
  }
}
