package hawser.devices.rng;

import hawser.sys.FileCalls;
import hawser.sys.TimerFd;

/**
 * How many bytes may still be given out in the current period. A period begins with its first byte,
 * as QEMU's does. Belongs to one thread.
 */
final class Allowance implements AutoCloseable {
  private final RngLimit limit;
  private final int timer = (int) TimerFd.create();
  private long left;
  private long periodEnd;
  private boolean running;

  Allowance(RngLimit limit) {
    this.limit = limit;
    this.left = limit.maxBytes();
  }

  /** Bytes left, after a look at the clock. */
  long left() {
    if (running && System.nanoTime() - periodEnd >= 0) {
      running = false;
      left = limit.maxBytes();
    }
    return left;
  }

  /** Takes some of what is left. */
  void spend(long bytes) {
    if (!running) {
      running = true;
      periodEnd = System.nanoTime() + limit.periodNanos();
    }
    left -= bytes;
    if (left == 0) {
      TimerFd.set(timer, periodEnd - System.nanoTime());
    }
  }

  /** A descriptor that becomes readable when a used-up allowance is renewed. */
  int timer() {
    return timer;
  }

  @Override
  public void close() {
    FileCalls.close(timer);
  }
}
