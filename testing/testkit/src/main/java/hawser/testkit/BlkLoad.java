package hawser.testkit;

import hawser.base.PeerFault;
import hawser.vhost.frontend.BlkQueue;
import hawser.vhost.frontend.BlkType;
import hawser.vhost.frontend.Driver;
import hawser.vhost.frontend.DriverPlan;
import hawser.vhost.frontend.FrontEnd;
import hawser.vhost.frontend.GuestRam;
import hawser.vhost.frontend.Sockets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * A load for benchmarks of vhost-user-blk: {@code BlkLoad SOCKET QUEUES DEPTH SECONDS} reads blocks
 * of 4 KiB, so many under way on each queue, each queue driven by a thread of its own, and prints
 * how many it had per second.
 */
public final class BlkLoad {
  private static final int BLOCK_BYTES = 4096;
  private static final int SECTORS_OF_BLOCK = BLOCK_BYTES / 512;
  private static final int BLOCKS = 1 << 16;
  private static final int RING_SIZE = 256;
  private static final int INDIRECT_ENTRIES = 8;
  private static final int PATIENCE_MS = (int) FrontEnd.PATIENCE.toMillis();

  /** Servers are measured once their hot code is compiled. */
  private static final long WARM_UP_NANOS = 3_000_000_000L;

  private BlkLoad() {}

  /** Does it. */
  public static void main(String[] args) throws Exception {
    int count = Integer.parseInt(args[1]);
    int depth = Integer.parseInt(args[2]);
    long nanos = Integer.parseInt(args[3]) * 1_000_000_000L;
    DriverPlan plan =
        DriverPlan.of(DriverPlan.SPLIT).withQueues(count, RING_SIZE, INDIRECT_ENTRIES);
    try (GuestRam ram = GuestRam.of((long) count * (depth + RING_SIZE) * 2 * BLOCK_BYTES);
        Driver driver = Driver.start(Sockets.connect(Path.of(args[0])), ram, plan);
        var threads = Executors.newFixedThreadPool(count)) {
      var queues = new ArrayList<BlkQueue>();
      for (int i = 0; i < count; i++) {
        queues.add(new BlkQueue(driver.queue(i), ram, depth, BLOCK_BYTES, BLOCK_BYTES));
      }
      sum(threads.invokeAll(works(queues, depth, WARM_UP_NANOS)));
      long began = System.nanoTime();
      long done = sum(threads.invokeAll(works(queues, depth, nanos)));
      System.out.printf("%.0f%n", done * 1e9 / (System.nanoTime() - began));
    }
  }

  private static List<Callable<Long>> works(List<BlkQueue> queues, int depth, long nanos) {
    var works = new ArrayList<Callable<Long>>();
    for (BlkQueue queue : queues) {
      works.add(() -> drive(queue, depth, nanos));
    }
    return works;
  }

  private static long sum(List<Future<Long>> works)
      throws InterruptedException, ExecutionException {
    long sum = 0;
    for (Future<Long> work : works) {
      sum += work.get();
    }
    return sum;
  }

  private static long drive(BlkQueue queue, int depth, long nanos) {
    var dice = new SplittableRandom(7);
    long end = System.nanoTime() + nanos;
    long done = 0;
    for (int i = 0; i < depth; i++) {
      add(queue, queue.claim(), dice);
    }
    queue.queue().submit();
    int underWay = depth;
    while (underWay > 0) {
      if (!queue.queue().await(PATIENCE_MS)) {
        throw new PeerFault("no answer");
      }
      boolean on = System.nanoTime() < end;
      for (int slot = queue.take(); slot != BlkQueue.NONE; slot = queue.take()) {
        if (queue.status(slot) != 0) {
          throw new PeerFault("answered with status %d".formatted(queue.status(slot)));
        }
        done++;
        if (on) {
          add(queue, slot, dice);
        } else {
          queue.release(slot);
          underWay--;
        }
      }
      queue.queue().submit();
    }
    return done;
  }

  private static void add(BlkQueue queue, int slot, SplittableRandom dice) {
    long sector = dice.nextInt(BLOCKS) * (long) SECTORS_OF_BLOCK;
    if (!queue.add(slot, BlkType.IN, sector, 0, BLOCK_BYTES)) {
      throw new IllegalStateException("the ring has no room");
    }
  }
}
