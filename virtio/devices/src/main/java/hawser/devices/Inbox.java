package hawser.devices;

import hawser.sys.EventFd;
import hawser.sys.FileCalls;
import java.util.ArrayDeque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a device has to tell its driver, in order: filled by other threads, emptied by a queue's
 * thread, which sleeps on {@link #event}. Bounded: whoever fills it waits for room. Safe from any
 * thread.
 */
public final class Inbox<T> implements AutoCloseable {
  private final ArrayDeque<T> items = new ArrayDeque<>();
  private final int most;
  private final int event = (int) EventFd.create();
  private boolean closed;

  /** Holds so many items at most. */
  public Inbox(int most) {
    this.most = most;
  }

  /** Adds an item as soon as there is room. False: it was closed. */
  public synchronized boolean put(T item) {
    while (items.size() >= most && !closed) {
      try {
        wait();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
    if (closed) {
      return false;
    }
    items.add(item);
    EventFd.signal(event);
    return true;
  }

  /** Puts others in the place of what is in it, at most as many as it holds. */
  public synchronized void replace(List<T> others) {
    if (closed) {
      return;
    }
    items.clear();
    items.addAll(others);
    notifyAll();
    EventFd.signal(event);
  }

  /** What is in it now. */
  public synchronized List<T> items() {
    return List.copyOf(items);
  }

  /** Takes the next item, or answers null. */
  public synchronized @Nullable T poll() {
    T item = items.poll();
    notifyAll();
    return item;
  }

  /** Forgets what is in it. */
  public synchronized void clear() {
    items.clear();
    notifyAll();
  }

  /** Whether nothing is in it. */
  public synchronized boolean isEmpty() {
    return items.isEmpty();
  }

  /** An eventfd that is signalled with every item. */
  public int event() {
    return event;
  }

  /** Nothing gets in any more. No queue may wait for it. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      items.clear();
      notifyAll();
      FileCalls.close(event);
    }
  }
}
