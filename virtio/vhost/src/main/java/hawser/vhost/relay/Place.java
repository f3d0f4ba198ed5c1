package hawser.vhost.relay;

import java.util.Comparator;

/**
 * What the last order of its kind is kept as.
 *
 * @param step when it is said to a new back-end
 * @param which of several that are said then, by vring or by age
 */
record Place(Step step, int which) implements Comparable<Place> {
  private static final Comparator<Place> ORDER =
      Comparator.comparing(Place::step).thenComparingInt(Place::which);

  /**
   * Everything that a back-end is told before it can work, in an order that it accepts: what says
   * how to understand something before that, and what lets it begin at the end.
   */
  enum Step {
    OWNER,
    PROTOCOL_FEATURES,
    FEATURES,
    MEMORY,
    LOG_BASE,
    LOG_FD,
    CONFIG,
    INFLIGHT,
    SIZE,
    BASE,
    ADDRESSES,
    ENDIAN,
    CALL,
    ERROR,
    KICK,
    ENABLED,
    STATUS
  }

  @Override
  public int compareTo(Place other) {
    return ORDER.compare(this, other);
  }
}
