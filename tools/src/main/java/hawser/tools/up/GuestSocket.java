package hawser.tools.up;

import hawser.base.BlockFault;
import hawser.blk.BlkDevice;
import hawser.blk.BlkOptions;
import hawser.block.BlockNode;
import hawser.sys.SocketAddress;
import hawser.tools.StaleSocket;
import hawser.vhost.backend.BackEndOptions;
import hawser.vhost.backend.BackEndServer;
import java.nio.file.Path;
import java.util.function.Consumer;

/** A disk on the vhost-user socket of a guest. Closing it disconnects the guest. */
final class GuestSocket implements AutoCloseable {
  private final Path path;
  private final BlkDevice device;
  private final BackEndServer server;

  GuestSocket(BlockNode disk, Path path, Consumer<String> log) throws BlockFault {
    this.path = path;
    StaleSocket.remove(path, "--blk-socket takes another one");
    this.device = new BlkDevice(disk, BlkOptions.DEFAULT);
    boolean listening = false;
    try {
      this.server =
          BackEndServer.listen(
              device, BackEndOptions.loggingTo(log), new SocketAddress.Unix(path.toString()));
      listening = true;
    } finally {
      if (!listening) {
        device.close();
      }
    }
  }

  Path path() {
    return path;
  }

  @Override
  public void close() {
    server.close();
    device.close();
    StaleSocket.forget(path);
  }
}
