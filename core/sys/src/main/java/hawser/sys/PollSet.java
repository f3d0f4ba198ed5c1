package hawser.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Descriptors that one thread waits for, again and again (poll(2)), until they are readable. */
public final class PollSet {
  private static final int ENTRY_BYTES = 8;

  /** poll(2) tells of a connection that is over in any case. */
  private static final short NOTHING = 0;

  private static final NumberCall POLL = NumberCall.ofInt("poll");

  private final MemorySegment entries;
  private final int count;

  /** A set of {@code count} places, all empty. */
  public PollSet(Arena arena, int count) {
    this.entries = arena.allocate((long) count * ENTRY_BYTES, 8);
    this.count = count;
    for (int place = 0; place < count; place++) {
      set(place, -1);
    }
  }

  /** Puts a descriptor into a place; a negative one empties it. */
  public void set(int place, int fd) {
    set(place, fd, SocketCalls.POLLIN);
  }

  /** Puts a socket into a place, for its end only: what comes on it before wakes nobody. */
  public void setForEnd(int place, int fd) {
    set(place, fd, NOTHING);
  }

  private void set(int place, int fd, short events) {
    entries.set(JAVA_INT, (long) place * ENTRY_BYTES, fd);
    entries.set(JAVA_SHORT, (long) place * ENTRY_BYTES + 4, events);
  }

  /**
   * Waits until a descriptor is readable or broken, or so many milliseconds are over; -1 waits for
   * ever. Answers how many are, or a negated error number.
   */
  public long await(int milliseconds) {
    return POLL.retry(entries.address(), count, milliseconds, 0);
  }

  /** Whether the last wait found this place readable or broken. */
  public boolean ready(int place) {
    return entries.get(JAVA_SHORT, (long) place * ENTRY_BYTES + 6) != 0;
  }
}
