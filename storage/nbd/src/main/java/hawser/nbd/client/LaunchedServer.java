package hawser.nbd.client;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.nbd.NbdUri;
import hawser.sys.FileCalls;
import hawser.sys.Linux;
import hawser.sys.Result;
import hawser.sys.SocketAddress;
import hawser.sys.SocketCalls;
import hawser.sys.Spawn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * An NBD server that runs as a process of ours for as long as it is needed. It is handed a socket
 * that listens already (systemd's socket activation, sd_listen_fds(3)), which qemu-nbd, nbdkit and
 * our own server know. Used by one thread.
 */
public final class LaunchedServer implements AutoCloseable {
  /** Where a program finds the first descriptor it is handed (SD_LISTEN_FDS_START). */
  private static final int FIRST_DESCRIPTOR = 3;

  /** LISTEN_PID must name the server itself, whose number is known once it is there. */
  private static final String BECOME = "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"";

  private final Path folder;
  private final ProcessHandle process;

  private LaunchedServer(Path folder, ProcessHandle process) {
    this.folder = folder;
    this.process = process;
  }

  /** Starts a server; what it prints goes where ours goes. */
  public static LaunchedServer start(List<String> command) throws BlockFault {
    if (!Linux.available()) {
      throw new BlockFault(Errno.EOPNOTSUPP, "starting a server needs native calls");
    }
    try {
      Path folder = Files.createTempDirectory("hawser-nbd");
      try {
        return new LaunchedServer(folder, start(command, socket(folder)));
      } catch (BlockFault e) {
        remove(folder);
        throw e;
      }
    } catch (IOException e) {
      throw new BlockFault(Errno.EIO, "Failed to make a socket: " + e.getMessage(), e);
    }
  }

  private static ProcessHandle start(List<String> command, Path path) throws BlockFault {
    var address = new SocketAddress.Unix(path.toString());
    int fd = (int) Result.orFault(SocketCalls.socket(address), "Failed to create socket");
    try {
      Result.orFault(SocketCalls.bindTo(fd, address), "Failed to bind socket");
      Result.orFault(SocketCalls.listen(fd, 1), "Failed to listen on socket");
      var words = new ArrayList<>(List.of("/bin/sh", "-c", BECOME, "sh"));
      words.addAll(command);
      long pid = Spawn.start(words, environment(), fd, FIRST_DESCRIPTOR);
      Result.orFault(pid, "Failed to start " + command.getFirst());
      return ProcessHandle.of(pid).orElseThrow(() -> new AssertionError("no child " + pid));
    } finally {
      // From here on the socket is the server's alone: when it dies, connections to it end.
      FileCalls.close(fd);
    }
  }

  private static List<String> environment() {
    var all = new ArrayList<String>();
    System.getenv().forEach((name, value) -> all.add(name + "=" + value));
    return all;
  }

  private static Path socket(Path folder) {
    return folder.resolve("sock");
  }

  /** Where it is. */
  public NbdUri uri() {
    return NbdUri.parse("nbd+unix:///" + NbdUri.socketQuery(socket(folder).toString()));
  }

  /** Ends the server (SIGTERM) and waits until it has put its disks away. */
  @Override
  public void close() throws BlockFault {
    process.destroy();
    process.onExit().join();
    try {
      remove(folder);
    } catch (IOException e) {
      throw new BlockFault(Errno.EIO, "cannot remove " + folder + ": " + e.getMessage(), e);
    }
  }

  private static void remove(Path folder) throws IOException {
    Files.deleteIfExists(socket(folder));
    Files.delete(folder);
  }
}
