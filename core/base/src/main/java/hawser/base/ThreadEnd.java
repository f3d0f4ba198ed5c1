package hawser.base;

/** Waiting for threads of one's own to end. */
public final class ThreadEnd {
  private ThreadEnd() {}

  /**
   * Returns when the thread has ended, and not before: what it uses may be closed then, and its
   * descriptors' numbers used again. An interrupt meanwhile is kept for the caller.
   */
  public static void await(Thread thread) {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
