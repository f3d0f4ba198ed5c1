package hawser.block.convert;

import hawser.base.BlockFault;
import hawser.base.ThreadEnd;
import java.util.concurrent.atomic.AtomicReference;

/** Runs one task on several platform threads and waits for all. */
final class Workers {
  private Workers() {}

  /** What each thread does. */
  interface Task {
    void run() throws BlockFault;
  }

  /**
   * Runs the task {@code count} times at once, one of them on the calling thread.
   *
   * @throws BlockFault the first that a thread ended with; the task itself must see to it that the
   *     other threads then end soon
   */
  static void run(String name, int count, Task task) throws BlockFault {
    var first = new AtomicReference<Throwable>();
    Runnable guarded =
        () -> {
          try {
            task.run();
          } catch (BlockFault | RuntimeException | Error e) {
            first.compareAndSet(null, e);
          }
        };
    var threads = new Thread[count - 1];
    for (int i = 0; i < threads.length; i++) {
      threads[i] = Thread.ofPlatform().daemon().name(name + "-" + (i + 1)).start(guarded);
    }
    guarded.run();
    // The buffers and nodes are in use until then.
    for (Thread thread : threads) {
      ThreadEnd.await(thread);
    }
    switch (first.get()) {
      case null -> {}
      case BlockFault fault -> throw fault;
      case RuntimeException e -> throw e;
      case Throwable e -> throw new AssertionError(e);
    }
  }
}
