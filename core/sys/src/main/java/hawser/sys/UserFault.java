package hawser.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import hawser.base.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Missing pages of memory that this process has mapped, told of by a descriptor to whoever holds
 * it, in this process or another; the thread that needs one waits (userfaultfd(2),
 * linux/userfaultfd.h). A call answers with its result or a negated error number.
 */
public final class UserFault {
  private static final long SYS_USERFAULTFD = Linux.onAarch64() ? 282 : 323;
  private static final String DEVICE = "/dev/userfaultfd";
  private static final int FLAGS = FileCalls.O_CLOEXEC | FileCalls.O_NONBLOCK;

  private static final long NEW = 0xaa00L;
  private static final long API = 0xc018aa3fL;
  private static final long REGISTER = 0xc020aa00L;
  private static final long UNREGISTER = 0x8010aa01L;
  private static final long WAKE = 0x8010aa02L;

  private static final long API_VERSION = 0xaa;
  private static final long FEATURE_MISSING_SHMEM = 1 << 5;
  private static final long MODE_MISSING = 1;

  private static final int EVENT_BYTES = 32;
  private static final byte EVENT_PAGEFAULT = 0x12;
  private static final long EVENT_ADDRESS = 16;

  private static final NumberCall SYSCALL = NumberCall.ofLong("syscall");

  private UserFault() {}

  /**
   * A descriptor for shared memory, for faults within the kernel too, that reads do not wait for.
   * Needs CAP_SYS_PTRACE, vm.unprivileged_userfaultfd, or leave to open {@value #DEVICE}.
   */
  public static long open() {
    long fd = SYSCALL.call(SYS_USERFAULTFD, FLAGS);
    if (Result.failed(fd)) {
      fd = openDevice(fd);
    }
    if (Result.failed(fd)) {
      return fd;
    }
    long result = agree((int) fd);
    if (Result.failed(result)) {
      FileCalls.close((int) fd);
      return result;
    }
    return fd;
  }

  private static long openDevice(long otherwise) {
    long device = FileCalls.open(DEVICE, FileCalls.O_RDWR | FileCalls.O_CLOEXEC, 0);
    if (Result.failed(device)) {
      return otherwise;
    }
    long fd = FileCalls.ioctl((int) device, NEW, MemorySegment.ofAddress(FLAGS));
    FileCalls.close((int) device);
    return fd;
  }

  private static long agree(int fd) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment api = arena.allocate(JAVA_LONG, 3);
      api.set(JAVA_LONG, 0, API_VERSION);
      api.set(JAVA_LONG, 8, FEATURE_MISSING_SHMEM);
      return FileCalls.ioctl(fd, API, api);
    }
  }

  /** From now on pages of this process that are missing there are told of. Whole pages. */
  public static long register(int fd, long address, long bytes) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment range = arena.allocate(JAVA_LONG, 4);
      range.set(JAVA_LONG, 0, address);
      range.set(JAVA_LONG, 8, bytes);
      range.set(JAVA_LONG, 16, MODE_MISSING);
      return FileCalls.ioctl(fd, REGISTER, range);
    }
  }

  /** The kernel fills what is missing by zeroes again; who waited goes on. */
  public static long unregister(int fd, long address, long bytes) {
    return range(fd, UNREGISTER, address, bytes);
  }

  /** Lets who waited for these pages look again; addresses are those of the process that waits. */
  public static long wake(int fd, long address, long bytes) {
    return range(fd, WAKE, address, bytes);
  }

  private static long range(int fd, long request, long address, long bytes) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment range = arena.allocate(JAVA_LONG, 2);
      range.set(JAVA_LONG, 0, address);
      range.set(JAVA_LONG, 8, bytes);
      return FileCalls.ioctl(fd, request, range);
    }
  }

  /**
   * The address of the next page that somebody waits for. EAGAIN when nobody has begun to, EPROTO
   * for anything else that is told of.
   */
  public static long next(int fd) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment event = arena.allocate(EVENT_BYTES, 8);
      long bytes = FileCalls.read(fd, event);
      if (bytes < 0) {
        return bytes;
      }
      boolean fault = bytes == EVENT_BYTES && event.get(JAVA_BYTE, 0) == EVENT_PAGEFAULT;
      return fault ? event.get(JAVA_LONG, EVENT_ADDRESS) : -Errno.EPROTO.number();
    }
  }
}
