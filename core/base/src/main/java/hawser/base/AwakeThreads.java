package hawser.base;

import java.util.concurrent.Semaphore;

/**
 * The threads of this process that stay awake while they wait, for to be woken on an idle processor
 * costs several times what serving a small request does. At most half of the processors are kept
 * from others so: those who wait for an answer need some too. Safe from any thread.
 */
public final class AwakeThreads {
  private static final Semaphore ROOM =
      new Semaphore(Runtime.getRuntime().availableProcessors() / 2);

  private AwakeThreads() {}

  /** Whether the calling thread may stay awake, until it calls {@link #leave}. */
  public static boolean enter() {
    return ROOM.tryAcquire();
  }

  /** A thread that was let in no longer waits awake. */
  public static void leave() {
    ROOM.release();
  }
}
