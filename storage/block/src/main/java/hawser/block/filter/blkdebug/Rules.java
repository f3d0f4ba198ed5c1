package hawser.block.filter.blkdebug;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.BlkdebugEvent;
import hawser.block.Breakpoints;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The state machine of one blkdebug node. Newer rules are looked at before older ones, as QEMU's
 * are; of several errors that one event arms, the oldest that fits a request decides.
 */
final class Rules implements Breakpoints {
  private static final long FIRST_STATE = 1;

  private final Deque<Rule> rules = new ArrayDeque<>();
  private final List<Stopped> stopped = new ArrayList<>();
  private List<Rule.InjectError> armed = new ArrayList<>();
  private long state = FIRST_STATE;
  private Consumer<String> listener = text -> {};

  /** A request that waits at a breakpoint. */
  private static final class Stopped {
    final String tag;
    boolean released;

    Stopped(String tag) {
      this.tag = tag;
    }
  }

  Rules(Collection<Rule> given) {
    given.forEach(rules::addFirst);
  }

  @Override
  public synchronized void listen(Consumer<String> listener) {
    this.listener = listener;
  }

  /** Does what the rules say for an event; returns when the request may go on. */
  void event(BlkdebugEvent event) {
    List<Stopped> mine = new ArrayList<>();
    synchronized (this) {
      react(event, mine);
      for (Stopped one : mine) {
        awaitRelease(one);
      }
    }
  }

  private void react(BlkdebugEvent event, List<Stopped> mine) {
    long before = state;
    List<Rule.InjectError> arming = new ArrayList<>();
    Iterator<Rule> each = rules.iterator();
    while (each.hasNext()) {
      Rule rule = each.next();
      if (rule.event() != event || (rule.state() != Rule.ANY_STATE && rule.state() != before)) {
        continue;
      }
      switch (rule) {
        case Rule.InjectError error -> arming.addFirst(error);
        case Rule.SetState(_, _, long newState) -> state = newState;
        case Rule.Suspend(_, String tag) -> {
          each.remove();
          mine.add(stop(tag));
        }
      }
    }
    if (!arming.isEmpty()) {
      armed = arming;
    }
  }

  private Stopped stop(String tag) {
    var one = new Stopped(tag);
    stopped.addFirst(one);
    listener.accept("blkdebug: Suspended request '" + tag + "'");
    notifyAll();
    return one;
  }

  private synchronized void awaitRelease(Stopped one) {
    boolean interrupted = false;
    while (!one.released) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Fails or delays a request if an armed rule says so. */
  void check(Rule.Kind kind, long offset, long bytes) throws BlockFault {
    Rule.InjectError hit = hit(kind, offset, bytes);
    if (hit == null) {
      return;
    }
    long end = System.nanoTime() + hit.delayNanos();
    long left = hit.delayNanos();
    while (left > 0) {
      LockSupport.parkNanos(left);
      left = end - System.nanoTime();
    }
    if (hit.errno() != 0) {
      throw BlockFault.of(Errno.of(hit.errno()), "blkdebug failed a " + kind);
    }
  }

  private synchronized Rule.@Nullable InjectError hit(Rule.Kind kind, long offset, long bytes) {
    Iterator<Rule.InjectError> each = armed.iterator();
    while (each.hasNext()) {
      Rule.InjectError rule = each.next();
      if (rule.hits(kind, offset, bytes)) {
        if (rule.once() && rule.errno() != 0) {
          each.remove();
          rules.remove(rule);
        }
        return rule;
      }
    }
    return null;
  }

  @Override
  public synchronized void set(BlkdebugEvent event, String tag) {
    rules.addFirst(new Rule.Suspend(event, tag));
  }

  @Override
  public synchronized void remove(String tag) throws BlockFault {
    boolean found = rules.removeIf(rule -> rule instanceof Rule.Suspend(_, var t) && t.equals(tag));
    while (release(tag)) {
      found = true;
    }
    if (!found) {
      throw BlockFault.of(Errno.ENOENT, "no breakpoint " + tag);
    }
  }

  @Override
  public synchronized void resume(String tag) throws BlockFault {
    if (!release(tag)) {
      throw BlockFault.of(Errno.ENOENT, "no request waits at " + tag);
    }
  }

  private boolean release(String tag) {
    Iterator<Stopped> each = stopped.iterator();
    while (each.hasNext()) {
      Stopped one = each.next();
      if (one.tag.equals(tag)) {
        listener.accept("blkdebug: Resuming request '" + tag + "'");
        each.remove();
        one.released = true;
        notifyAll();
        return true;
      }
    }
    return false;
  }

  @Override
  public synchronized void await(String tag) {
    boolean interrupted = false;
    while (stopped.stream().noneMatch(one -> one.tag.equals(tag))) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
