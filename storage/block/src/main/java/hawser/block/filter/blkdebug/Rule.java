package hawser.block.filter.blkdebug;

import hawser.block.BlkdebugEvent;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** What happens when an event comes while the node is in a state. */
sealed interface Rule {
  /** In every state. */
  long ANY_STATE = 0;

  /** The kinds of request that can be made to fail; spelt with dashes. */
  enum Kind {
    READ,
    WRITE,
    WRITE_ZEROES,
    DISCARD,
    FLUSH,
    BLOCK_STATUS;

    /** What fails when nobody says which: everything but questions about allocation. */
    static final Set<Kind> USUAL = Set.of(READ, WRITE, WRITE_ZEROES, DISCARD, FLUSH);

    static Optional<Kind> named(String name) {
      for (Kind kind : values()) {
        if (kind.name().toLowerCase(Locale.ROOT).replace('_', '-').equals(name)) {
          return Optional.of(kind);
        }
      }
      return Optional.empty();
    }
  }

  /** The event it waits for. */
  BlkdebugEvent event();

  /** The state it works in, or {@link #ANY_STATE}. */
  long state();

  /**
   * From the event on, requests fail.
   *
   * @param kinds which ones
   * @param errno Linux's number; 0 lets them pass
   * @param offset only requests that touch this byte; -1 for all
   * @param once whether the rule goes away with the first
   * @param delayNanos how long they wait first
   */
  record InjectError(
      BlkdebugEvent event,
      long state,
      Set<Kind> kinds,
      int errno,
      long offset,
      boolean once,
      long delayNanos)
      implements Rule {
    public InjectError {
      kinds = Set.copyOf(kinds);
    }

    boolean hits(Kind kind, long from, long bytes) {
      return kinds.contains(kind)
          && (offset == -1 || (bytes > 0 && offset >= from && offset - from < bytes));
    }
  }

  /** The event moves the node to another state. */
  record SetState(BlkdebugEvent event, long state, long newState) implements Rule {}

  /** The request that comes to the event stops there; a breakpoint, gone once it was met. */
  record Suspend(BlkdebugEvent event, String tag) implements Rule {
    @Override
    public long state() {
      return ANY_STATE;
    }
  }
}
