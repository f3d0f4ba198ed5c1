package hawser.block.throttle;

/**
 * One limit, as QEMU's throttling computes it (util/throttle.c): what is done fills the bucket,
 * time empties it, and a request waits while the bucket is too full. Used under its group's lock.
 */
final class LeakyBucket {
  private static final double NANOS = 1e9;

  /** Without a burst, this part of a second's worth may be done at once. */
  private static final double SLICE = 10;

  private final double rate;
  private final double burstRate;
  private final long burstSeconds;
  private double level;
  private double burstLevel;

  /**
   * A bucket.
   *
   * @param rate units a second; 0 for no limit
   * @param burstRate units a second during a burst; 0 for no bursts
   * @param burstSeconds how long a burst may last, at least 1
   */
  LeakyBucket(double rate, double burstRate, long burstSeconds) {
    this.rate = rate;
    this.burstRate = burstRate;
    this.burstSeconds = burstSeconds;
  }

  void leak(long nanos) {
    level = Math.max(0, level - rate * nanos / NANOS);
    if (burstSeconds > 1) {
      burstLevel = Math.max(0, burstLevel - burstRate * nanos / NANOS);
    }
  }

  /** How long a request must wait now. */
  long waitNanos() {
    if (rate == 0) {
      return 0;
    }
    double room = burstRate == 0 ? rate / SLICE : burstRate * burstSeconds;
    double excess = level - room;
    if (excess > 0) {
      return (long) (excess / rate * NANOS);
    }
    double burstExcess = burstLevel - burstRate / SLICE;
    if (burstSeconds > 1 && burstExcess > 0) {
      return (long) (burstExcess / burstRate * NANOS);
    }
    return 0;
  }

  void add(double units) {
    level += units;
    if (burstSeconds > 1) {
      burstLevel += units;
    }
  }
}
