package hawser.sys;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;

/**
 * Timers that wake whoever polls them (timerfd_create(2)), by their descriptors. A call answers
 * with its result or a negated error number. Safe from any thread.
 */
public final class TimerFd {
  private static final int CLOCK_MONOTONIC = 1;
  private static final int NONBLOCK = 0x800;
  private static final int CLOEXEC = 0x80000;
  private static final long SECOND_NANOS = 1_000_000_000;
  private static final NumberCall CREATE = NumberCall.ofInt("timerfd_create");
  private static final NumberCall SETTIME = NumberCall.ofInt("timerfd_settime");

  private TimerFd() {}

  /** A new timer that is not set; answers a descriptor. */
  public static long create() {
    return CREATE.call(CLOCK_MONOTONIC, NONBLOCK | CLOEXEC);
  }

  /**
   * Makes the descriptor unreadable, and readable again so many nanoseconds from now, once. 0 or
   * less counts as 1: a time of 0 would mean never.
   */
  public static long set(int fd, long nanos) {
    long wait = Math.max(1, nanos);
    try (var arena = Arena.ofConfined()) {
      var raw = arena.allocate(32, 8);
      raw.set(JAVA_LONG, 16, wait / SECOND_NANOS);
      raw.set(JAVA_LONG, 24, wait % SECOND_NANOS);
      return SETTIME.call(fd, 0, raw.address(), 0);
    }
  }
}
