package hawser.block.throttle;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.Options;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Limits that several disks share. Requests wait in the order in which they came, reads and writes
 * apart, in their own threads. Safe from any thread.
 */
public final class ThrottleGroup {
  /** QEMU's largest limit. */
  private static final long LIMIT_MAX = 1_000_000_000_000_000L;

  private final LeakyBucket[] bytes;
  private final LeakyBucket[] requests;
  private final long requestBytes;
  private final ReentrantLock readQueue = new ReentrantLock(true);
  private final ReentrantLock writeQueue = new ReentrantLock(true);
  private long leaked = System.nanoTime();

  private static final int TOTAL = 0;
  private static final int READ = 1;
  private static final int WRITE = 2;

  private ThrottleGroup(LeakyBucket[] bytes, LeakyBucket[] requests, long requestBytes) {
    this.bytes = bytes;
    this.requests = requests;
    this.requestBytes = requestBytes;
  }

  /**
   * Takes a group's limits out of options: {@code iops-total}, {@code bps-read-max}, {@code
   * iops-write-max-length}, {@code iops-size} and their kin; with {@code prefix} in front of each.
   *
   * @throws BlockFault with QEMU's words when limits contradict one another
   */
  public static ThrottleGroup take(Options options, String prefix) throws BlockFault {
    var bytes = buckets(options, prefix + "bps");
    var requests = buckets(options, prefix + "iops");
    long size = options.number(prefix + "iops-size").orElse(0);
    return new ThrottleGroup(bytes, requests, size);
  }

  private static LeakyBucket[] buckets(Options options, String what) throws BlockFault {
    String[] kinds = {"-total", "-read", "-write"};
    var buckets = new LeakyBucket[kinds.length];
    var rates = new long[kinds.length];
    for (int i = 0; i < kinds.length; i++) {
      rates[i] = options.number(what + kinds[i]).orElse(0);
      long max = options.number(what + kinds[i] + "-max").orElse(0);
      long length = options.number(what + kinds[i] + "-max-length").orElse(1);
      check(rates[i], max, length);
      buckets[i] = new LeakyBucket(rates[i], max, length);
    }
    if (rates[TOTAL] != 0 && (rates[READ] != 0 || rates[WRITE] != 0)) {
      throw new BlockFault(
          Errno.EINVAL,
          "bps/iops/max total values and read/write values cannot be used at the same time");
    }
    return buckets;
  }

  private static void check(long rate, long max, long length) throws BlockFault {
    if (rate < 0 || max < 0 || rate > LIMIT_MAX || max > LIMIT_MAX) {
      throw new BlockFault(
          Errno.EINVAL, "bps/iops/max values must be within [0, " + LIMIT_MAX + "]");
    }
    if (length < 1) {
      throw new BlockFault(Errno.EINVAL, "the burst length cannot be 0");
    }
    if (max != 0 && rate == 0) {
      throw new BlockFault(Errno.EINVAL, "bps_max/iops_max require corresponding bps/iops values");
    }
    if (max != 0 && max < rate) {
      throw new BlockFault(Errno.EINVAL, "bps_max/iops_max cannot be lower than bps/iops");
    }
    if (length > 1 && max == 0) {
      throw new BlockFault(Errno.EINVAL, "burst length set without burst rate");
    }
  }

  /** Waits until a read of that many bytes may start. */
  void awaitRead(long count) {
    await(readQueue, READ, count);
  }

  /** Waits until a write of that many bytes may start. */
  void awaitWrite(long count) {
    await(writeQueue, WRITE, count);
  }

  private void await(ReentrantLock queue, int kind, long count) {
    queue.lock();
    try {
      long wait = admit(kind, count);
      while (wait > 0) {
        LockSupport.parkNanos(wait);
        wait = admit(kind, count);
      }
    } finally {
      queue.unlock();
    }
  }

  /** Starts a request, or says how long it has to wait. */
  private synchronized long admit(int kind, long count) {
    long now = System.nanoTime();
    for (int i = TOTAL; i <= WRITE; i++) {
      bytes[i].leak(now - leaked);
      requests[i].leak(now - leaked);
    }
    leaked = now;
    long wait =
        Math.max(
            Math.max(bytes[TOTAL].waitNanos(), bytes[kind].waitNanos()),
            Math.max(requests[TOTAL].waitNanos(), requests[kind].waitNanos()));
    if (wait == 0) {
      bytes[TOTAL].add((double) count);
      bytes[kind].add((double) count);
      double units = requestBytes > 0 && count > requestBytes ? (double) count / requestBytes : 1;
      requests[TOTAL].add(units);
      requests[kind].add(units);
    }
    return wait;
  }
}
