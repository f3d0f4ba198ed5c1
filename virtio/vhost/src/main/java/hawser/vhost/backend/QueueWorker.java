package hawser.vhost.backend;

import hawser.base.AwakeThreads;
import hawser.base.PeerFault;
import hawser.base.ThreadEnd;
import hawser.sys.EventFd;
import hawser.sys.FileCalls;
import hawser.sys.PollSet;
import hawser.vhost.ring.Chain;
import hawser.vhost.ring.Completion;
import hawser.vhost.ring.DeviceRing;
import java.lang.foreign.Arena;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A virtqueue at work: the thread that takes its chains, and the place where they come back. It
 * works from {@link #start} to {@link #stop}, both called by the connection's thread.
 */
final class QueueWorker implements Completion, Runnable {
  /** Chains served before what else there is to do is looked at. */
  private static final int BATCH = 64;

  /**
   * Chains of a batch after which a driver that waits is called. It goes on beside this thread
   * then; called at the end only, it finds all done, and this thread finds nothing until it has
   * gone on.
   */
  private static final int CALL_EVERY = 4;

  private static final int KICK = 0;
  private static final int WAKE = 1;
  private static final int HANDLER = 2;

  private final int queue;
  private final BackEndOptions options;
  private final Thread thread;
  private final int wakeFd;
  private final PollSet waiting = new PollSet(Arena.ofAuto(), 3);
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  private @Nullable Work work;
  private boolean stopping;
  private boolean suspending;
  private boolean ended;
  private boolean callDue;

  /** What was done last was to take something back that the handler had elsewhere. */
  private boolean attended;

  private long taken;
  private long given;
  private volatile boolean interrupted;

  /** Set before the lock is taken: the queue may hold it while it waits for a translation. */
  private volatile boolean stopAsked;

  /** What a queue needs to work: exchanged as a whole. */
  record Work(
      DeviceRing ring,
      QueueHandler handler,
      VringDescriptors descriptors,
      boolean takesUnderLock,
      @Nullable Order order) {}

  QueueWorker(String device, int queue, BackEndOptions options) {
    this.queue = queue;
    this.options = options;
    this.wakeFd = VringDescriptors.newEvent();
    waiting.set(WAKE, wakeFd);
    this.thread =
        Thread.ofPlatform().daemon().name("%s-queue-%d".formatted(device, queue)).start(this);
  }

  /**
   * Lets the queue work. It must be stopped.
   *
   * @param onlyLeft whether only chains are to be served that a predecessor left in its record
   */
  void start(Work newWork, boolean onlyLeft) {
    lock.lock();
    try {
      work = newWork;
      stopping = false;
      suspending = false;
      interrupted = onlyLeft;
      stopAsked = false;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Returns when every chain has been given back and the queue touches guest memory no more.
   *
   * @param suspend whether chains may be left to a successor instead
   */
  void stop(boolean suspend) {
    stopAsked = true;
    lock.lock();
    try {
      stopping = true;
      suspending = suspend;
      wake();
      // A queue whose ring is broken waits for this rather than for a kick.
      changed.signalAll();
      while (work != null) {
        changed.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Ends the thread. The queue must be stopped. */
  void end() {
    lock.lock();
    try {
      ended = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    ThreadEnd.await(thread);
    FileCalls.close(wakeFd);
  }

  /** Whether the queue has been told to stop, or is about to be. */
  boolean stopAsked() {
    return stopAsked;
  }

  private void wake() {
    interrupted = true;
    EventFd.signal(wakeFd);
  }

  /** Something about kicks or calls has changed, or the front-end kicked by a message. */
  void nudge() {
    EventFd.signal(wakeFd);
  }

  @Override
  public void run() {
    for (Work now = awaitWork(); now != null; now = awaitWork()) {
      try {
        serve(now);
      } catch (PeerFault e) {
        // A queue that is to stop has perhaps given up to wait for a translation; if its ring is
        // broken, whoever goes on finds it so.
        if (!stopAsked) {
          broken(now, e);
        }
      } catch (InternalError | AssertionError e) {
        broken(now, e);
      } catch (RuntimeException e) {
        broken(now, new AssertionError(e));
      }
      drain(now);
    }
  }

  private @Nullable Work awaitWork() {
    lock.lock();
    try {
      while (work == null && !ended) {
        changed.awaitUninterruptibly();
      }
      return work;
    } finally {
      lock.unlock();
    }
  }

  private void serve(Work now) {
    now.ring().disableKicks();
    // What a predecessor took is under way: a queue that is to stop finishes that first.
    while (now.ring().hasLeft() && now.handler().wants()) {
      boolean _ = serveBatch(now);
    }
    while (!interrupted) {
      if (!serveBatch(now) && !moreComesSoon(now)) {
        if (!now.handler().wants() || !now.ring().enableKicks()) {
          await(now);
        }
        now.ring().disableKicks();
      }
    }
  }

  /** Looks for something to do for a while, if this thread may stay awake. */
  private boolean moreComesSoon(Work now) {
    if (options.pollNanos() == 0 || betterAsleep() || !AwakeThreads.enter()) {
      return false;
    }
    try {
      long until = System.nanoTime() + options.pollNanos();
      while (!interrupted && System.nanoTime() - until < 0) {
        Thread.onSpinWait();
        if (serveBatch(now)) {
          return true;
        }
      }
      return interrupted;
    } finally {
      AwakeThreads.leave();
    }
  }

  /**
   * Whether chains are with other threads, which need this processor more than a queue that looks
   * for further ones, or with the kernel, which takes longer than waking up. Just after the kernel
   * gave one back its driver is better woken here than on another processor that idles.
   */
  private boolean betterAsleep() {
    return given != taken || attended;
  }

  /** Whether there was something to do. */
  private boolean serveBatch(Work now) {
    int count = 0;
    while (count < BATCH && now.handler().wants() && (!interrupted || now.ring().hasLeft())) {
      Chain chain = take(now);
      if (chain == null) {
        break;
      }
      count++;
      handle(now, chain);
      if (callDue && count % CALL_EVERY == 0) {
        callIfWanted(now);
      }
    }
    boolean finished = now.handler().attend();
    if (callDue) {
      callIfWanted(now);
    }
    if (count == 0 && !finished) {
      return false;
    }
    attended = finished;
    return true;
  }

  private void handle(Work now, Chain chain) {
    boolean handled = false;
    try {
      now.handler().handle(chain);
      handled = true;
    } finally {
      if (!handled && chain.underWay()) {
        lock.lock();
        try {
          given++;
        } finally {
          lock.unlock();
        }
      }
    }
  }

  private @Nullable Chain take(Work now) {
    Chain chain;
    if (now.takesUnderLock()) {
      lock.lock();
      try {
        chain = now.ring().take();
      } finally {
        lock.unlock();
      }
    } else {
      chain = now.ring().take();
    }
    if (chain != null) {
      taken++;
      if (now.order() != null) {
        now.order().taken(chain);
      }
    }
    return chain;
  }

  private void await(Work now) {
    waiting.set(KICK, now.descriptors().kick());
    waiting.set(HANDLER, now.handler().event());
    waiting.await(now.descriptors().waitMillis());
    if (waiting.ready(KICK)) {
      EventFd.drain(now.descriptors().kick());
    }
    setBack(now);
  }

  private void setBack(Work now) {
    if (waiting.ready(WAKE)) {
      EventFd.drain(wakeFd);
    }
    if (waiting.ready(HANDLER)) {
      EventFd.drain(now.handler().event());
    }
  }

  private void broken(Work now, Throwable why) {
    interrupted = true;
    switch (why) {
      case PeerFault fault -> options.log().accept(fault.getMessage());
      // The JVM's word for memory whose file has become shorter (SIGBUS).
      case InternalError error ->
          options.log().accept("queue %d: guest memory is gone: %s".formatted(queue, error));
      default -> {
        options.log().accept("queue %d: defect: %s".formatted(queue, why));
        Thread self = Thread.currentThread();
        self.getUncaughtExceptionHandler().uncaughtException(self, why);
      }
    }
    now.descriptors().signalError();
  }

  /** Waits until all chains are back and this queue has been told to stop. */
  private void drain(Work now) {
    if (maySuspend()) {
      now.handler().suspending();
    } else {
      now.handler().stopping();
    }
    while (true) {
      boolean _ = now.handler().attend();
      lock.lock();
      try {
        if (stopping && given == taken) {
          now.handler().close();
          work = null;
          changed.signalAll();
          return;
        }
        if (now.handler().event() < 0) {
          changed.awaitUninterruptibly();
          continue;
        }
      } finally {
        lock.unlock();
      }
      waiting.set(KICK, -1);
      waiting.set(HANDLER, now.handler().event());
      waiting.await(-1);
      setBack(now);
    }
  }

  private boolean maySuspend() {
    lock.lock();
    try {
      while (stopAsked && !stopping) {
        changed.awaitUninterruptibly();
      }
      return suspending;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void suspend(Chain chain) {
    lock.lock();
    try {
      if (work == null || !suspending) {
        throw new AssertionError("queue %d is not being suspended".formatted(queue));
      }
      given++;
      changed.signalAll();
      nudge();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void complete(Chain chain, long written) {
    lock.lock();
    try {
      Work now = work;
      if (now == null || !chain.underWay()) {
        throw new AssertionError("a chain of queue %d came back twice".formatted(queue));
      }
      try {
        if (now.order() == null) {
          now.ring().give(chain, written);
        } else {
          now.order().give(now.ring(), chain, written);
        }
        callAfterGiving(now);
      } catch (InternalError e) {
        broken(now, e);
      }
      given++;
      if (interrupted) {
        changed.signalAll();
        nudge();
      }
    } finally {
      lock.unlock();
    }
  }

  private void callAfterGiving(Work now) {
    if (Thread.currentThread() == thread) {
      callDue = true;
    } else {
      callIfWanted(now.ring(), now.descriptors());
    }
  }

  private void callIfWanted(Work now) {
    lock.lock();
    try {
      callDue = false;
      callIfWanted(now.ring(), now.descriptors());
    } finally {
      lock.unlock();
    }
  }

  private void callIfWanted(DeviceRing ring, VringDescriptors descriptors) {
    if (ring.wantsCall()) {
      options.crashPoint().accept(BackEndOptions.BEFORE_CALL);
      descriptors.call();
    }
  }
}
