package hawser.nbd.server;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** Runs something later unless it is called off; the clock of a server. */
public interface Deadlines extends AutoCloseable {
  /** Something that will happen. */
  interface Pending {
    /** Calls it off; harmless when it has happened. */
    void cancel();
  }

  /** Runs {@code action} once after {@code delay}; the action must be short. */
  Pending after(Duration delay, Runnable action);

  /** Forgets everything pending. */
  @Override
  void close();

  /** The real clock, with one thread. */
  static Deadlines real() {
    ScheduledExecutorService clock =
        Executors.newSingleThreadScheduledExecutor(
            task -> Thread.ofPlatform().daemon().name("nbd-deadlines").unstarted(task));
    return new Deadlines() {
      @Override
      public Pending after(Duration delay, Runnable action) {
        ScheduledFuture<?> future = clock.schedule(action, delay.toMillis(), TimeUnit.MILLISECONDS);
        return () -> future.cancel(false);
      }

      @Override
      public void close() {
        clock.shutdownNow();
      }
    };
  }
}
