package hawser.sys;

import java.lang.foreign.Arena;

/** The system's log, for daemons (syslog(3)). Safe from any thread. */
public final class SystemLog {
  /** How much a line matters. */
  public enum Priority {
    /** Something went wrong. */
    WARNING(4),
    /** All is well. */
    INFO(6);

    private final int number;

    Priority(int number) {
      this.number = number;
    }
  }

  private static final int LOG_PID = 1;
  private static final int LOG_NDELAY = 8;
  private static final int LOG_DAEMON = 3 << 3;

  private static final NumberCall OPENLOG = NumberCall.ofLong("openlog");
  private static final NumberCall TZSET = NumberCall.ofLong("tzset");
  private static final NumberCall SYSLOG = NumberCall.ofLong("syslog");

  /** The C library keeps these for as long as the process lives. */
  private static final long FORMAT = Arena.global().allocateFrom("%s").address();

  private SystemLog() {}

  /** Connects to the log, and reads what its times depend on. */
  public static void open(String program) {
    TZSET.call(0);
    OPENLOG.call(Arena.global().allocateFrom(program).address(), LOG_PID | LOG_NDELAY, LOG_DAEMON);
  }

  /** Writes a line. */
  public static void write(Priority priority, String line) {
    try (var arena = Arena.ofConfined()) {
      SYSLOG.call(priority.number, FORMAT, arena.allocateFrom(line).address());
    }
  }
}
