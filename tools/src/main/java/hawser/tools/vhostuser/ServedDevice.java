package hawser.tools.vhostuser;

import hawser.base.BlockFault;
import hawser.base.UsageFault;
import hawser.sys.SocketAddress;
import hawser.tools.StaleSocket;
import hawser.tools.StopSignal;
import hawser.vhost.backend.BackEndServer;
import hawser.vhost.backend.Device;
import java.nio.file.Path;
import java.util.List;

/**
 * A device on the socket of its command line: on a listening one it serves one front-end after the
 * other until a signal comes, on a connected one until that front-end leaves.
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

  /** Serves a device until the end and closes it; answers the exit code. */
  static int serve(Device device, BackEndLine line) {
    try (var stop = new StopSignal();
        device) {
      return new ServedDevice(device, line, stop).run();
    }
  }

  /** As {@link #serve}, on an open socket; removes files of sockets at the end. */
  static int serve(Device device, BackEndLine line, int socket, List<Path> leftovers) {
    try (var stop = new StopSignal();
        device) {
      try (var _ = BackEndServer.serve(device, line.options(), socket, stop::stop)) {
        stop.await();
      }
      leftovers.forEach(StaleSocket::forget);
      return 0;
    } catch (InterruptedException e) {
      throw new AssertionError("nobody interrupts the main thread", e);
    }
  }

  /** Serves until the end; answers the exit code. The device stays the caller's. */
  int run() {
    Path path = line.socketPath;
    try (BackEndServer _ = path == null ? adopted() : listening(path)) {
      stop.await();
    } catch (BlockFault e) {
      throw new UsageFault(String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      throw new AssertionError("nobody interrupts the main thread", e);
    }
    if (path != null) {
      StaleSocket.forget(path);
    }
    return 0;
  }

  private BackEndServer adopted() {
    return BackEndServer.serve(device, line.options(), line.fd, stop::stop);
  }

  private BackEndServer listening(Path path) throws BlockFault {
    StaleSocket.remove(path, "--socket-path takes another one");
    return BackEndServer.listen(device, line.options(), new SocketAddress.Unix(path.toString()));
  }
}
