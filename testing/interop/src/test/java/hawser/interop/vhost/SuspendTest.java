package hawser.interop.vhost;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.blk.BlkDevice;
import hawser.blk.BlkOptions;
import hawser.block.BlockNode;
import hawser.block.Extent;
import hawser.sys.SocketAddress;
import hawser.vhost.backend.BackEndOptions;
import hawser.vhost.backend.BackEndServer;
import hawser.vhost.frontend.BlkQueue;
import hawser.vhost.frontend.BlkType;
import hawser.vhost.frontend.Driver;
import hawser.vhost.frontend.DriverPlan;
import hawser.vhost.frontend.FrontEnd;
import hawser.vhost.frontend.GuestRam;
import hawser.vhost.frontend.Sockets;
import hawser.vhost.message.ProtocolFeature;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A guest is stopped for migration while a slow disk has a deep queue: what waits for a worker is
 * not served first, and comes after the guest goes on (GET_VRING_BASE_INFLIGHT).
 */
class SuspendTest {
  private static final int REQUESTS = 40;
  private static final int BLOCK_BYTES = 512;

  /** A disk that reads when it may. */
  private static final class SlowDisk implements BlockNode {
    private final Semaphore permits = new Semaphore(0);
    private final Semaphore entered = new Semaphore(0);

    @Override
    public String name() {
      return "slow";
    }

    @Override
    public String driver() {
      return "slow";
    }

    @Override
    public long length() {
      return 1 << 20;
    }

    @Override
    public boolean readOnly() {
      return true;
    }

    @Override
    public void read(MemorySegment into, long offset) {
      entered.release();
      permits.acquireUninterruptibly();
    }

    @Override
    public void write(MemorySegment from, long offset, int flags) throws BlockFault {
      throw new BlockFault(Errno.EPERM, "write");
    }

    @Override
    public void writeZeroes(long offset, long length, int flags) throws BlockFault {
      throw new BlockFault(Errno.EPERM, "write");
    }

    @Override
    public void discard(long offset, long length) {}

    @Override
    public void flush() {}

    @Override
    public Extent extent(long offset, long length) throws BlockFault {
      throw new BlockFault(Errno.EPERM, "extent");
    }

    @Override
    public void close() {}
  }

  @ParameterizedTest
  @ValueSource(longs = {DriverPlan.SPLIT, DriverPlan.PACKED})
  void whatWaitsIsServedLater(long features, @TempDir Path folder) throws Exception {
    DriverPlan plan =
        DriverPlan.of(features)
            .withProtocol(DriverPlan.PROTOCOL_ALL | ProtocolFeature.GET_VRING_BASE_INFLIGHT.mask);
    var disk = new SlowDisk();
    var address = new SocketAddress.Unix(folder.resolve("s").toString());
    try (var device = new BlkDevice(disk, BlkOptions.DEFAULT);
        var server = BackEndServer.listen(device, BackEndOptions.loggingTo(line -> {}), address);
        FrontEnd frontEnd = Sockets.connect(Path.of(address.path()));
        var ram = GuestRam.of(1 << 20);
        var driver = Driver.start(frontEnd, ram, plan)) {
      assertThat(server).isNotNull();
      var queue = new BlkQueue(driver.queue(0), ram, REQUESTS, BLOCK_BYTES, BLOCK_BYTES);
      for (int i = 0; i < REQUESTS; i++) {
        assertThat(queue.add(queue.claim(), BlkType.IN, i, 0, BLOCK_BYTES)).isTrue();
      }
      queue.queue().submit();
      int workers = 16;
      disk.entered.acquire(workers);
      Thread stopping = Thread.ofPlatform().start(driver::stop);
      while (!waitsForItsRequests(queueThread())) {
        Thread.onSpinWait();
      }
      disk.permits.release(workers);
      stopping.join();
      assertThat(served(queue)).isEqualTo(workers);
      disk.permits.release(REQUESTS - workers);
      driver.resume();
      for (int left = REQUESTS - workers; left > 0; left -= served(queue)) {
        assertThat(queue.queue().await(60_000)).isTrue();
      }
      assertThat(disk.entered.availablePermits()).as("reads").isEqualTo(REQUESTS - workers);
      driver.stop();
    }
  }

  /** Whether a queue's thread has suspended what it may, and waits for the rest; not for a lock. */
  private static boolean waitsForItsRequests(Thread queue) {
    List<String> methods =
        Arrays.stream(queue.getStackTrace()).map(StackTraceElement::getMethodName).toList();
    return methods.contains("awaitUninterruptibly")
        && methods.contains("drain")
        && !methods.contains("maySuspend");
  }

  private static int served(BlkQueue queue) {
    int served = 0;
    for (int slot = queue.take(); slot != BlkQueue.NONE; slot = queue.take()) {
      assertThat(queue.status(slot)).isZero();
      served++;
    }
    return served;
  }

  private static Thread queueThread() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("blk-queue-0"))
        .findFirst()
        .orElseThrow();
  }
}
