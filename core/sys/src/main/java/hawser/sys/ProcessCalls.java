package hawser.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;

/** Calls on this process itself. */
public final class ProcessCalls {
  private static final NumberCall GETPID = NumberCall.ofInt("getpid");
  private static final NumberCall GETPPID = NumberCall.ofInt("getppid");
  private static final NumberCall KILL = NumberCall.ofInt("kill");
  private static final NumberCall SIGNAL = NumberCall.ofLong("signal");
  private static final NumberCall WAITPID = NumberCall.ofInt("waitpid");
  private static final NumberCall PRLIMIT = NumberCall.ofInt("prlimit");
  private static final NumberCall FCNTL = NumberCall.ofInt("fcntl");
  private static final long DEFAULT_ACTION = 0;
  private static final int RLIMIT_NOFILE = 7;
  private static final int F_SETFD = 2;
  private static final int FD_CLOEXEC = 1;
  private static final int SIGNAL_MASK = 0x7f;

  /** kill(2). */
  public static final int SIGKILL = 9;

  /** kill(2). */
  public static final int SIGTERM = 15;

  private ProcessCalls() {}

  /**
   * Sends this process a signal that does what the kernel does by default, which for most of them
   * is to end the process at once: no shutdown hook runs. Answers 0 or a negated error number.
   */
  public static long die(int signal) {
    SIGNAL.call(signal, DEFAULT_ACTION);
    return KILL.call(GETPID.call(0), signal);
  }

  /** The process that started this one, or whoever took its place when it ended. */
  public static long parent() {
    return GETPPID.call(0);
  }

  /** kill(2): a child of ours, so that its number is nobody else's. */
  public static long signal(int child, int signal) {
    return KILL.call(child, signal);
  }

  /**
   * Waits for a child's end; answers its exit code, 128 and the number of the signal, or -errno.
   */
  public static int waitFor(int child) {
    try (var arena = Arena.ofConfined()) {
      var status = arena.allocate(4, 4);
      long result = WAITPID.retry(child, status.address(), 0, 0);
      int how = status.get(JAVA_INT, 0);
      if (result < 0) {
        return (int) result;
      }
      return (how & SIGNAL_MASK) == 0 ? how >> 8 & 0xff : 128 + (how & SIGNAL_MASK);
    }
  }

  /** How many descriptors this process may have at most, whatever it asks for. */
  public static long openFilesMax() {
    try (var arena = Arena.ofConfined()) {
      var limits = arena.allocate(16, 8);
      long result = PRLIMIT.call(0, RLIMIT_NOFILE, 0, limits.address());
      return result < 0 ? result : limits.get(JAVA_LONG, 8);
    }
  }

  /** Lets this process have so many descriptors. Answers 0 or a negated error number. */
  public static long limitOpenFiles(long count) {
    try (var arena = Arena.ofConfined()) {
      var limits = arena.allocateFrom(JAVA_LONG, count, count);
      return PRLIMIT.call(0, RLIMIT_NOFILE, limits.address(), 0);
    }
  }

  /** Whether a program that this process becomes or starts finds a descriptor open. */
  public static long inherited(int fd, boolean inherited) {
    return FCNTL.call(fd, F_SETFD, inherited ? 0 : FD_CLOEXEC);
  }
}
