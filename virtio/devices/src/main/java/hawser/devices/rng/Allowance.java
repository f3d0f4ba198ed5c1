package hawser.devices.rng;

import hawser.sys.FileCalls;
import hawser.sys.TimerFd;
import hawser.vhost.backend.SmallState;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/**
 * How many bytes may still be given out in the current period. A period begins with its first byte,
 * as QEMU's does. For one thread at a time.
 */
final class Allowance implements AutoCloseable {
  private static final SmallState FORM = new SmallState("rng", 0x474e5248, 8, 1, 1); // "HRNG"

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

  /** What is left. */
  void save(OutputStream to) throws IOException {
    FORM.write(FORM.items(1).putLong(left()), to);
  }

  /** Goes on with what was left elsewhere, within the limit here; its period begins anew. */
  void load(InputStream from) throws IOException {
    long saved = FORM.read(from).getLong();
    if (saved < 0) {
      throw new IOException("%d bytes are left, not 0 or more".formatted(saved));
    }
    left = limit.maxBytes();
    running = false;
    if (saved < left) {
      spend(left - saved);
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
