package hawser.interop.vhost;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Side;
import hawser.vhost.frontend.BlkConfig;
import hawser.vhost.frontend.BlkDriver;
import hawser.vhost.frontend.DirtyPages;
import hawser.vhost.frontend.Driver;
import hawser.vhost.frontend.DriverPlan;
import hawser.vhost.frontend.GuestRam;
import hawser.vhost.frontend.Sockets;
import hawser.vhost.frontend.StateTransfer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A guest that has switched the write cache off asks for no flushes: it must stay off for it. */
class WriteCacheTest {
  private static final DriverPlan PLAN = DriverPlan.of(DriverPlan.SPLIT | BlkDriver.F_ALL);

  @TempDir Path folder;

  private Peer serve(Path socket, String... options) {
    var all = new ArrayList<String>();
    all.add("--socket-path=" + socket);
    all.add("--blk-file=" + folder.resolve("disk.raw"));
    all.add("--format=raw");
    all.addAll(List.of(options));
    return Side.HAWSER.start("vhost-user-blk", all.toArray(String[]::new)).awaitSocket(socket);
  }

  private static boolean writeback(Driver driver) {
    return BlkDriver.config(driver.frontEnd()).writeback();
  }

  @Test
  void itStaysOffWhileTheGuestPausesAndWhenItMigrates() throws Exception {
    Files.write(folder.resolve("disk.raw"), new byte[1 << 20]);
    Path here = folder.resolve("here");
    Path there = folder.resolve("there");
    try (Peer source = serve(here);
        GuestRam ram = GuestRam.of(16 << 20);
        Driver driver = Driver.start(Sockets.connect(here), ram, PLAN)) {
      assertThat(source.process().isAlive()).isTrue();
      assertThat(writeback(driver)).isTrue();
      driver.frontEnd().setConfig(BlkConfig.WRITEBACK_AT, 0, new byte[1]);
      assertThat(writeback(driver)).isFalse();
      driver.stop();
      driver.resume();
      assertThat(writeback(driver)).isFalse();
      try (Peer destination = serve(there, "--incoming")) {
        assertThat(destination.process().isAlive()).isTrue();
        Driver after = driver.destination(Sockets.connect(there));
        assertThat(writeback(after)).isTrue();
        DirtyPages _ = driver.startLog();
        driver.stop();
        driver.moveTo(after, StateTransfer.save(driver.frontEnd()));
        assertThat(writeback(driver)).isFalse();
        driver.frontEnd().resetDevice();
        assertThat(writeback(driver)).isTrue();
      }
    }
  }
}
