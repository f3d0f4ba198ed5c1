package hawser.tools.dist;

import hawser.base.BlockFault;
import hawser.vhost.frontend.BlkDriver;
import hawser.vhost.frontend.Driver;
import hawser.vhost.frontend.DriverPlan;
import hawser.vhost.frontend.FrontEnd;
import hawser.vhost.frontend.GuestRam;
import hawser.vhost.frontend.Sockets;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.FutureTask;

/** What a guest does first, for the training of the programs that it is served by. */
final class Guests {
  private static final long RAM_BYTES = 4 << 20;
  private static final int READS = 200;
  private static final int BYTES = 4096;

  private final Path folder;
  private final Path socket;
  private final int listening;

  Guests(Path folder) throws BlockFault {
    this.folder = folder;
    this.socket = folder.resolve("guest.sock");
    this.listening = Sockets.listening(socket);
  }

  /** The programs, each without its socket. */
  List<List<String>> programs(String raw, String qcow2) {
    Path script = folder.resolve("script");
    try {
      Files.writeString(script, "1 30 1\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return List.of(
        List.of("vhost-user-blk", "--blk-file=" + raw, "--format=raw"),
        List.of("vhost-user-blk", "--blk-file=" + raw, "--format=raw", "--cache=none"),
        List.of("vhost-user-blk", "--blk-file=" + qcow2, "--format=qcow2"),
        List.of("virtiofsd", "--sandbox=none", "--seccomp=none", "--shared-dir=" + folder),
        List.of("vhost-user-rng"),
        List.of("vhost-user-console", "--pty"),
        List.of("vhost-user-input", "--script=" + script),
        List.of("vhost-user-vsock", "--guest-cid=3", "--uds-path=" + folder.resolve("vsock")));
  }

  /** A connected socket for a program, which owns it. */
  int connect() throws BlockFault {
    return Sockets.connected(socket);
  }

  /** A guest at the other end: agrees, starts a ring, uses a disk and leaves. */
  FutureTask<Void> start(boolean disk) {
    var guest = new FutureTask<Void>(() -> live(disk), null);
    Thread.ofPlatform().name("guest").start(guest);
    return guest;
  }

  private void live(boolean disk) {
    try (FrontEnd frontEnd = Sockets.accept(listening, FrontEnd.PATIENCE);
        GuestRam ram = GuestRam.of(RAM_BYTES);
        Driver driver = Driver.start(frontEnd, ram, DriverPlan.of(DriverPlan.SPLIT))) {
      if (disk) {
        BlkDriver reader = BlkDriver.of(driver, 0, BYTES);
        for (int i = 0; i < READS; i++) {
          byte[] _ = reader.read(8L * i, BYTES);
        }
      }
      driver.stop();
    } catch (BlockFault e) {
      throw new AssertionError(e);
    }
  }
}
