package hawser.qmp;

import hawser.base.PeerFault;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Predicate;

/**
 * Events of a session, in their order, from the moment this was made: whoever makes it before the
 * command that causes an event cannot miss the event. Closing it stops the collecting. Safe from
 * any thread.
 */
public final class QmpEvents implements AutoCloseable {
  /** The most events that wait to be taken. More end this listener, not the session. */
  public static final int WAITING_MAX = 1 << 16;

  /** What waits: events, and perhaps the reason why no more will come as the last one. */
  private sealed interface Item {
    record Happened(QmpEvent event) implements Item {}

    record End(PeerFault reason) implements Item {}
  }

  private final BlockingQueue<Item> waiting = new LinkedBlockingQueue<>();
  private final List<String> names;
  private final Runnable closing;
  private boolean ended;

  QmpEvents(List<String> names, java.util.function.Consumer<QmpEvents> closing) {
    this.names = names;
    this.closing = () -> closing.accept(this);
  }

  /**
   * Waits for the next event and takes it.
   *
   * @throws PeerFault when the connection has ended and all events before that were taken, or too
   *     many waited
   */
  public QmpEvent next() {
    try {
      return taken(waiting.take());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PeerFault("interrupted while waiting for an event", e);
    }
  }

  /** Takes events until one is as wanted, and answers that. Fails as {@link #next} does. */
  public QmpEvent await(Predicate<QmpEvent> wanted) {
    QmpEvent event = next();
    while (!wanted.test(event)) {
      event = next();
    }
    return event;
  }

  /** Takes the next event if one is there. Fails as {@link #next} does. */
  public Optional<QmpEvent> poll() {
    return Optional.ofNullable(waiting.poll()).map(this::taken);
  }

  private QmpEvent taken(Item item) {
    return switch (item) {
      case Item.Happened(QmpEvent event) -> event;
      case Item.End(PeerFault reason) -> {
        waiting.add(item);
        throw new PeerFault(String.valueOf(reason.getMessage()), reason);
      }
    };
  }

  synchronized void offer(QmpEvent event) {
    if (ended || !(names.isEmpty() || names.contains(event.name()))) {
      return;
    }
    if (waiting.size() >= WAITING_MAX) {
      end(new PeerFault("more than %d events wait to be taken".formatted(WAITING_MAX)));
      return;
    }
    waiting.add(new Item.Happened(event));
  }

  synchronized void end(PeerFault reason) {
    if (!ended) {
      ended = true;
      waiting.add(new Item.End(reason));
    }
  }

  @Override
  public void close() {
    closing.run();
    end(new PeerFault("the listener is closed"));
  }
}
