package hawser.tools;

import java.util.concurrent.CountDownLatch;

/**
 * Lets a program that serves end by itself on SIGTERM, SIGINT and SIGHUP: with its disks flushed
 * and an exit code of its own choice, where the JVM would end with 128 + the signal's number.
 *
 * <p>One per process. The signal starts the JVM's shutdown; its hook waits here until the program
 * has closed this object.
 */
public final class StopSignal implements AutoCloseable {
  private final CountDownLatch wanted = new CountDownLatch(1);
  private final CountDownLatch ended = new CountDownLatch(1);
  private final Thread hook = new Thread(this::signalled, "stop-signal");
  private volatile int exitCode;

  /** Catches signals from now on. */
  public StopSignal() {
    Runtime.getRuntime().addShutdownHook(hook);
  }

  private void signalled() {
    wanted.countDown();
    try {
      ended.await();
    } catch (InterruptedException e) {
      // Nobody interrupts a hook but another hook that ends the JVM in its own way.
      return;
    }
    Runtime.getRuntime().halt(exitCode);
  }

  /** Returns when a signal has come or {@link #stop} was called. */
  public void await() throws InterruptedException {
    wanted.await();
  }

  /** Stops for another reason than a signal, from any thread. */
  public void stop() {
    wanted.countDown();
  }

  /** The exit code after a signal, 0 unless set. */
  public void exitWith(int code) {
    exitCode = code;
  }

  /**
   * Everything is put away: after a signal, the process ends now. Output must be flushed before.
   */
  @Override
  public void close() {
    ended.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // A signal came; its hook, which no longer waits, ends the process with our exit code.
      return;
    }
  }
}
