package hawser.sys;

import static hawser.sys.Native.broken;
import static hawser.sys.Native.check;
import static hawser.sys.Native.state;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.Optional;

/**
 * An io_uring: many reads and writes under way at once from one thread, and one system call for a
 * batch of them. Made, used and closed by a single thread.
 *
 * <p>Requests are put with a tag of the caller's choice, go to the kernel with {@link #submit}, and
 * come back through {@link #next} with that tag. Memory of a request must stay alive until then.
 * The layout is that of the kernel's {@code io_uring.h}.
 */
public final class Uring implements AutoCloseable {
  /** The most requests one ring holds. */
  public static final int ENTRIES_MAX = 4096;

  private static final int SETUP = 425;
  private static final int ENTER = 426;

  private static final int REGISTER_NUMBER = 427;
  private static final int REGISTER_EVENTFD = 4;

  private static final int SETUP_CLAMP = 1 << 4;
  private static final int SETUP_SINGLE_ISSUER = 1 << 12;
  private static final int SETUP_DEFER_TASKRUN = 1 << 13;
  private static final int FEATURE_SINGLE_MMAP = 1;
  private static final int ENTER_GETEVENTS = 1;

  private static final long OFFSET_RING = 0;
  private static final long OFFSET_ENTRIES = 0x10000000L;

  private static final byte OP_READV = 1;
  private static final byte OP_WRITEV = 2;
  private static final byte OP_READ = 22;
  private static final byte OP_WRITE = 23;
  private static final byte OP_RECV = 27;

  private static final int EINTR = 4;

  private static final MethodHandle SYSCALL_SETUP =
      Native.bindVariadic(
          "syscall", 1, JAVA_LONG, JAVA_LONG, JAVA_INT, java.lang.foreign.ValueLayout.ADDRESS);
  private static final MethodHandle SYSCALL_ENTER =
      Native.bindVariadic(
          "syscall", 1, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG,
          JAVA_LONG);
  private static final NumberCall REGISTER = NumberCall.ofLong("syscall");
  private static final VarHandle INT = JAVA_INT.varHandle();

  private final int fd;
  private final Arena arena = Arena.ofConfined();
  private final MemorySegment ring;
  private final MemorySegment entries;
  private final long sqHead;
  private final long sqTail;
  private final long sqArray;
  private final int sqMask;
  private final long cqHead;
  private final long cqTail;
  private final long cqes;
  private final int cqMask;
  private int tail;
  private int submitted;
  private long tag;
  private int result;

  private Uring(int fd, MemorySegment params) {
    this.fd = fd;
    int count = params.get(JAVA_INT, 0);
    long sqBytes = Integer.toUnsignedLong(params.get(JAVA_INT, 40 + 24)) + count * 4L;
    long cqBytes =
        Integer.toUnsignedLong(params.get(JAVA_INT, 80 + 20)) + params.get(JAVA_INT, 4) * 16L;
    this.ring = map(OFFSET_RING, Math.max(sqBytes, cqBytes));
    this.entries = map(OFFSET_ENTRIES, count * 64L);
    this.sqHead = params.get(JAVA_INT, 40);
    this.sqTail = params.get(JAVA_INT, 44);
    this.sqMask = ring.get(JAVA_INT, params.get(JAVA_INT, 48));
    this.sqArray = params.get(JAVA_INT, 40 + 24);
    this.cqHead = params.get(JAVA_INT, 80);
    this.cqTail = params.get(JAVA_INT, 84);
    this.cqMask = ring.get(JAVA_INT, params.get(JAVA_INT, 88));
    this.cqes = params.get(JAVA_INT, 80 + 20);
    for (int i = 0; i < count; i++) {
      ring.set(JAVA_INT, sqArray + 4L * i, i);
    }
  }

  private MemorySegment map(long offset, long bytes) {
    long address =
        MemoryCalls.mmap(
            fd,
            offset,
            bytes,
            MemoryCalls.PROT_READ | MemoryCalls.PROT_WRITE,
            MemoryCalls.MAP_SHARED);
    if (address < 0) {
      throw new AssertionError("mapping an io_uring: " + Result.errno(address));
    }
    return MemoryCalls.view(address, bytes, arena);
  }

  /**
   * A ring for {@code count} requests (rounded up to a power of two), at most {@link #ENTRIES_MAX}.
   * Empty where the kernel has none, is older than 6.1, or forbids it.
   */
  public static Optional<Uring> open(int count) {
    if (!Linux.available()) {
      return Optional.empty();
    }
    try (var arena = Arena.ofConfined()) {
      MemorySegment params = arena.allocate(120, 8);
      params.set(JAVA_INT, 8, SETUP_CLAMP | SETUP_SINGLE_ISSUER | SETUP_DEFER_TASKRUN);
      var state = state();
      long fd =
          check(
              (long)
                  SYSCALL_SETUP.invokeExact(
                      state, (long) SETUP, Math.min(count, ENTRIES_MAX), params),
              state);
      if (fd < 0) {
        return Optional.empty();
      }
      if ((params.get(JAVA_INT, 20) & FEATURE_SINGLE_MMAP) == 0) {
        FileCalls.close((int) fd);
        return Optional.empty();
      }
      return Optional.of(new Uring((int) fd, params));
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** Whether no further request can be put before a {@link #submit}. */
  public boolean full() {
    return tail - (int) INT.getAcquire(ring, sqHead) > sqMask;
  }

  /** Puts a read of all of {@code into} from a file's {@code offset}; it may come back short. */
  public void read(int file, MemorySegment into, long offset, long newTag) {
    put(OP_READ, file, into.address(), (int) into.byteSize(), offset, 0, newTag);
  }

  /** Puts a write; {@code flags} of {@code RWF_}. It may come back short. */
  public void write(int file, MemorySegment from, long offset, int flags, long newTag) {
    put(OP_WRITE, file, from.address(), (int) from.byteSize(), offset, flags, newTag);
  }

  /** Puts a vectored read; the vector, too, must stay as it is until it has come back. */
  public void read(int file, Iovecs into, long offset, long newTag) {
    put(OP_READV, file, into.address().address(), into.count(), offset, 0, newTag);
  }

  /** Puts a vectored write. */
  public void write(int file, Iovecs from, long offset, int flags, long newTag) {
    put(OP_WRITEV, file, from.address().address(), from.count(), offset, flags, newTag);
  }

  /** Lets an eventfd be signalled whenever a completion is there. Answers 0 or an error number. */
  public long signal(int eventFd) {
    try (var one = Arena.ofConfined()) {
      MemorySegment fds = one.allocateFrom(JAVA_INT, eventFd);
      return REGISTER.call(REGISTER_NUMBER, fd, REGISTER_EVENTFD, fds.address(), 1, 0);
    }
  }

  /** Puts a receive from a socket; comes back with what there is, 0 at the end of the stream. */
  public void receive(int socket, MemorySegment into, long newTag) {
    put(OP_RECV, socket, into.address(), (int) into.byteSize(), 0, 0, newTag);
  }

  private void put(
      byte operation, int file, long address, int length, long offset, int flags, long newTag) {
    if (full()) {
      throw new IllegalStateException("the ring is full");
    }
    MemorySegment entry = entries;
    long at = (long) (tail & sqMask) * 64;
    entry.asSlice(at, 64).fill((byte) 0);
    entry.set(JAVA_BYTE, at, operation);
    entry.set(JAVA_INT, at + 4, file);
    entry.set(JAVA_LONG, at + 8, offset);
    entry.set(JAVA_LONG, at + 16, address);
    entry.set(JAVA_INT, at + 24, length);
    entry.set(JAVA_INT, at + 28, flags);
    entry.set(JAVA_LONG, at + 32, newTag);
    tail++;
  }

  /**
   * Hands what was put to the kernel, and returns when at least {@code waitFor} completions are
   * there. Answers a negated error number when the kernel took nothing.
   */
  public long submit(int waitFor) {
    INT.setRelease(ring, sqTail, tail);
    try {
      var state = state();
      long taken;
      do {
        taken =
            check(
                (long)
                    SYSCALL_ENTER.invokeExact(
                        state,
                        (long) ENTER,
                        fd,
                        tail - submitted,
                        waitFor,
                        ENTER_GETEVENTS,
                        0L,
                        0L),
                state);
      } while (taken == -EINTR);
      if (taken > 0) {
        submitted += (int) taken;
      }
      return taken;
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** Moves on to the next completion; false when none is there. */
  public boolean next() {
    int head = ring.get(JAVA_INT, cqHead);
    if (head == (int) INT.getAcquire(ring, cqTail)) {
      return false;
    }
    long at = cqes + (long) (head & cqMask) * 16;
    tag = ring.get(JAVA_LONG, at);
    result = ring.get(JAVA_INT, at + 8);
    INT.setRelease(ring, cqHead, head + 1);
    return true;
  }

  /** The tag of the completion that {@link #next} moved to. */
  public long tag() {
    return tag;
  }

  /** Its result: bytes, or a negated error number. */
  public int result() {
    return result;
  }

  /** Gives the ring back. The kernel cancels what is still under way. */
  @Override
  public void close() {
    arena.close();
    FileCalls.close(fd);
  }
}
