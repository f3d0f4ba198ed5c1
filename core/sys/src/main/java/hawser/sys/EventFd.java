package hawser.sys;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Counters that wake whoever polls them (eventfd(2)), by their descriptors. A call answers with its
 * result or a negated error number. Safe from any thread.
 */
public final class EventFd {
  private static final int CLOEXEC = 0x80000;
  private static final int NONBLOCK = 0x800;
  private static final NumberCall EVENTFD = NumberCall.ofInt("eventfd");
  private static final MemorySegment ONE = Arena.global().allocateFrom(JAVA_LONG, 1);

  /** What {@link #drain} reads nobody looks at. */
  private static final MemorySegment COUNT = Arena.global().allocate(8, 8);

  private EventFd() {}

  /** A new counter, at 0; answers a descriptor whose calls do not wait. */
  public static long create() {
    return EVENTFD.call(0, CLOEXEC | NONBLOCK);
  }

  /** Adds one, which wakes whoever polls. */
  public static long signal(int fd) {
    return FileCalls.write(fd, ONE);
  }

  /** Sets the counter to 0; EAGAIN if it is. A descriptor from a stranger may wait. */
  public static long drain(int fd) {
    return FileCalls.read(fd, COUNT);
  }
}
