package hawser.tools.io;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Phaser;

/**
 * Requests under way. Each runs on a thread of its own; what it has to say is said by the thread
 * that runs the commands, when that waits for something.
 */
final class Flights {
  private final Phaser open = new Phaser(1);
  private final ConcurrentLinkedQueue<Runnable> reports = new ConcurrentLinkedQueue<>();

  /** A request; answers with what to do on the commands' thread when it is done. */
  @FunctionalInterface
  interface Flight {
    Runnable fly();
  }

  /** Starts one. */
  void start(Flight flight) {
    open.register();
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              try {
                reports.add(flight.fly());
              } finally {
                open.arriveAndDeregister();
              }
            });
  }

  /** Has something said by the commands' thread when it next waits. */
  void say(Runnable report) {
    reports.add(report);
  }

  /** Reports what is done by now. */
  void report() {
    Runnable next = reports.poll();
    while (next != null) {
      next.run();
      next = reports.poll();
    }
  }

  /** Waits until none is under way and reports them all. */
  void land() {
    while (open.getUnarrivedParties() > 1) {
      Thread.onSpinWait();
      report();
      java.util.concurrent.locks.LockSupport.parkNanos(100_000);
    }
    report();
  }
}
