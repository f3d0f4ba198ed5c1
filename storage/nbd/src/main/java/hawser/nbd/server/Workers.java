package hawser.nbd.server;

import java.util.ArrayDeque;

/**
 * A bounded pool of platform threads, made as they are needed and gone when idle for a while. A
 * thread that blocks in a system call pins a virtual thread, so these are platform threads. Handing
 * over a task allocates nothing once the queue has grown.
 */
final class Workers {
  private static final long IDLE_MILLIS = 10_000;

  private final String name;
  private final int most;
  private final ArrayDeque<Runnable> queue = new ArrayDeque<>();
  private int threads;
  private int idle;
  private int made;

  Workers(String name, int most) {
    this.name = name;
    this.most = most;
  }

  /** Runs a task soon; waits in a queue when all threads are busy. */
  void execute(Runnable task) {
    boolean needsThread;
    synchronized (this) {
      queue.addLast(task);
      needsThread = idle < queue.size() && threads < most;
      if (needsThread) {
        threads++;
        made++;
      } else {
        notify();
      }
    }
    if (needsThread) {
      var thread = new Thread(null, this::work, name + "-" + made, 256 << 10);
      thread.setDaemon(true);
      thread.start();
    }
  }

  private void work() {
    boolean wellEnded = false;
    try {
      for (Runnable task = next(); task != null; task = next()) {
        task.run();
      }
      wellEnded = true;
    } finally {
      if (!wellEnded) {
        synchronized (this) {
          threads--;
        }
      }
    }
  }

  /** The next task, or null when this thread is to end. */
  private synchronized @org.jspecify.annotations.Nullable Runnable next() {
    long deadline = 0;
    while (queue.isEmpty()) {
      long now = System.currentTimeMillis();
      if (deadline == 0) {
        deadline = now + IDLE_MILLIS;
      } else if (now >= deadline) {
        threads--;
        return null;
      }
      idle++;
      try {
        wait(deadline - now + 1);
      } catch (InterruptedException e) {
        // Nobody interrupts these threads; if somebody does, this one ends.
        threads--;
        return null;
      } finally {
        idle--;
      }
    }
    return queue.pollFirst();
  }

  /** How many threads there are. */
  synchronized int threads() {
    return threads;
  }
}
