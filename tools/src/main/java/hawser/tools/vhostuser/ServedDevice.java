package hawser.tools.vhostuser;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.UsageFault;
import hawser.sys.FileCalls;
import hawser.sys.Result;
import hawser.sys.SocketAddress;
import hawser.sys.SocketCalls;
import hawser.tools.StaleSocket;
import hawser.tools.StopSignal;
import hawser.vhost.backend.BackEnd;
import hawser.vhost.backend.Device;
import java.io.File;
import java.nio.file.Path;

/**
 * A device on its socket: on a listening one it serves one front-end after the other until a signal
 * comes, on a connected one until that front-end leaves.
 */
final class ServedDevice {
  private final Device device;
  private final BackEndLine line;

  /** The process may end when this is closed: by who closes the device and its disk before. */
  private final StopSignal stop;

  ServedDevice(Device device, BackEndLine line, StopSignal stop) {
    this.device = device;
    this.line = line;
    this.stop = stop;
  }

  /** Serves until the end; answers the exit code. The device stays the caller's. */
  int run() {
    try (var backEnd = new BackEnd(device, line.options())) {
      int fd = socket();
      boolean listening = SocketCalls.isListening(fd) == 1;
      Thread.ofPlatform()
          .daemon()
          .name(device.name() + "-connection")
          .start(
              () -> {
                if (listening) {
                  accept(fd, backEnd);
                } else {
                  backEnd.serve(fd);
                }
                stop.stop();
              });
      stop.await();
      if (line.socketPath != null) {
        boolean _ = removed(line.socketPath);
      }
      return 0;
    } catch (BlockFault e) {
      throw new UsageFault(String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return 1;
    }
  }

  private int socket() throws BlockFault {
    return line.socketPath == null ? line.fd : bound(line.socketPath);
  }

  private static int bound(Path path) throws BlockFault {
    StaleSocket.remove(path, "--socket-path takes another one");
    var address = new SocketAddress.Unix(path.toString());
    int fd = (int) Result.orFault(SocketCalls.socket(address), "socket");
    Result.orFault(SocketCalls.bindTo(fd, address), "cannot listen on " + path);
    Result.orFault(SocketCalls.listen(fd, 1), "cannot listen on " + path);
    return fd;
  }

  private static void accept(int listening, BackEnd backEnd) {
    while (true) {
      long client = SocketCalls.accept(listening);
      if (!Result.failed(client)) {
        backEnd.serve((int) client);
      } else if (Result.errno(client) != Errno.ECONNABORTED) {
        FileCalls.close(listening);
        return;
      }
    }
  }

  /** Whether the socket's file is gone; whoever listens there next replaces it otherwise. */
  private static boolean removed(Path path) {
    return new File(path.toString()).delete();
  }
}
