package hawser.interop.vhost;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import hawser.blk.BlkDevice;
import hawser.blk.BlkOptions;
import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.sys.SocketAddress;
import hawser.vhost.backend.BackEndOptions;
import hawser.vhost.backend.BackEndServer;
import hawser.vhost.frontend.BlkQueue;
import hawser.vhost.frontend.BlkType;
import hawser.vhost.frontend.Driver;
import hawser.vhost.frontend.DriverPlan;
import hawser.vhost.frontend.GuestRam;
import hawser.vhost.frontend.Sockets;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * In its steady state a queue makes no objects for a request that the page cache serves. The Java
 * platform makes one of 40 bytes for a native call, to check where errno goes, where its compiler
 * does not see through that: 20 bytes per request were seen.
 */
class AllocationTest {
  private static final int DISK_BYTES = 1 << 20;
  private static final int BLOCK_BYTES = 4096;
  private static final int WARM_UP = 300_000;
  private static final int COUNTED = 100_000;
  private static final double OF_THE_PLATFORM = 48;
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @ParameterizedTest
  @ValueSource(longs = {DriverPlan.SPLIT, DriverPlan.PACKED})
  void requestsMakeNoObjects(long features, @TempDir Path folder) throws Exception {
    Path image = Files.write(folder.resolve("disk.raw"), new byte[DISK_BYTES]);
    Path socket = folder.resolve("s");
    try (BlockNode disk =
            new Opener(OpenPolicy.NOTHING).open(image.toString(), "raw", OpenMode.WRITE);
        var device = new BlkDevice(disk, BlkOptions.DEFAULT);
        var server =
            BackEndServer.listen(
                device,
                BackEndOptions.loggingTo(line -> {}),
                new SocketAddress.Unix(socket.toString()));
        var frontEnd = Sockets.connect(socket);
        var ram = GuestRam.of(16 << 20);
        var driver = Driver.start(frontEnd, ram, DriverPlan.of(features))) {
      assertThat(server).isNotNull();
      var queue = new BlkQueue(driver.queue(0), ram, 16, BLOCK_BYTES, BLOCK_BYTES);
      drive(queue, WARM_UP);
      long id = queueThread();
      long before = THREADS.getThreadAllocatedBytes(id);
      drive(queue, COUNTED);
      long allocated = THREADS.getThreadAllocatedBytes(id) - before;
      assertThat((double) allocated / COUNTED).as("bytes per request").isLessThan(OF_THE_PLATFORM);
    }
  }

  private static long queueThread() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("blk-queue-0"))
        .findFirst()
        .orElseThrow()
        .threadId();
  }

  private static void drive(BlkQueue queue, int requests) {
    int begun = 0;
    int ended = 0;
    while (ended < requests) {
      for (int slot = queue.claim(); slot != BlkQueue.NONE && begun < requests; ) {
        long sector = begun % 256 * 8L;
        boolean write = begun % 2 == 1;
        int out = write ? BLOCK_BYTES : 0;
        assertThat(
                queue.add(slot, write ? BlkType.OUT : BlkType.IN, sector, out, BLOCK_BYTES - out))
            .isTrue();
        begun++;
        slot = begun < requests ? queue.claim() : BlkQueue.NONE;
      }
      queue.queue().submit();
      for (int slot = queue.take(); slot != BlkQueue.NONE; slot = queue.take()) {
        assertThat(queue.status(slot)).isZero();
        queue.release(slot);
        ended++;
      }
    }
  }
}
