package hawser.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Descriptors that one thread waits for while any thread changes the set (epoll(7)). Each has a
 * number, by which {@link #number} names it. Calls answer with 0 or a negated error number.
 */
public final class Epoll implements AutoCloseable {
  /** Readable. */
  public static final int IN = 1;

  /** Room to write. */
  public static final int OUT = 4;

  /** Broken; told of whether asked for or not. */
  public static final int ERR = 8;

  /** Nobody is at the other end any more; told of whether asked for or not. */
  public static final int HUP = 0x10;

  /** Tell once, then nothing until {@link #change}. */
  public static final int ONESHOT = 1 << 30;

  private static final int CLOEXEC = 0x80000;
  private static final int ADD = 1;
  private static final int DELETE = 2;
  private static final int CHANGE = 3;

  /** struct epoll_event is packed on x86-64 only. */
  private static final int DATA_OFFSET = Linux.onAarch64() ? 8 : 4;

  private static final int ENTRY_BYTES = DATA_OFFSET + 8;

  private static final NumberCall CREATE = NumberCall.ofInt("epoll_create1");
  private static final NumberCall CONTROL = NumberCall.ofInt("epoll_ctl");
  private static final NumberCall WAIT = NumberCall.ofInt("epoll_wait");

  private final int fd;
  private final int most;
  private final MemorySegment found;

  /** An empty set, of which one wait finds so many at most. */
  public Epoll(int most) {
    long made = CREATE.call(CLOEXEC);
    if (Result.failed(made)) {
      throw new AssertionError("epoll_create1: " + Result.errno(made));
    }
    this.fd = (int) made;
    this.most = most;
    this.found = Arena.ofAuto().allocate((long) most * ENTRY_BYTES, 8);
  }

  /** Waits for a descriptor, and for {@code events} on it. */
  public long add(int descriptor, int events, long number) {
    return control(ADD, descriptor, events, number);
  }

  /** Waits for other events. */
  public long change(int descriptor, int events, long number) {
    return control(CHANGE, descriptor, events, number);
  }

  /** Waits for it no more. */
  public long remove(int descriptor) {
    return control(DELETE, descriptor, 0, 0);
  }

  private long control(int operation, int descriptor, int events, long number) {
    try (var arena = Arena.ofConfined()) {
      var raw = arena.allocate(ENTRY_BYTES, 8);
      raw.set(JAVA_INT, 0, events);
      raw.set(JAVA_LONG_UNALIGNED, DATA_OFFSET, number);
      return CONTROL.call(fd, operation, descriptor, raw.address());
    }
  }

  /** Waits until something has happened; answers to how many. For one thread. */
  public int await() {
    long count = WAIT.retry(fd, found.address(), most, -1);
    return Result.failed(count) ? 0 : (int) count;
  }

  /** The number of one that the last wait found. */
  public long number(int index) {
    return found.get(JAVA_LONG_UNALIGNED, (long) index * ENTRY_BYTES + DATA_OFFSET);
  }

  /** What has happened to it. */
  public int events(int index) {
    return found.get(JAVA_INT.withByteAlignment(1), (long) index * ENTRY_BYTES);
  }

  @Override
  public void close() {
    FileCalls.close(fd);
  }
}
