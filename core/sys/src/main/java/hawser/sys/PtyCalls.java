package hawser.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Pseudo-terminals (pty(7)). A call answers with its result or with a negated error number. Safe
 * from any thread.
 */
public final class PtyCalls {
  private static final int O_NOCTTY = 0x100;
  private static final int TCSANOW = 0;

  /** More than the C library's struct termios on any Linux. */
  private static final int TERMIOS_BYTES = 256;

  /** "/dev/pts/" and a number. */
  private static final int NAME_BYTES = 64;

  private static final NumberCall POSIX_OPENPT = NumberCall.ofInt("posix_openpt");
  private static final NumberCall GRANTPT = NumberCall.ofInt("grantpt");
  private static final NumberCall UNLOCKPT = NumberCall.ofInt("unlockpt");
  private static final NumberCall PTSNAME_R = NumberCall.ofInt("ptsname_r");
  private static final NumberCall TCGETATTR = NumberCall.ofInt("tcgetattr");
  private static final NumberCall CFMAKERAW = NumberCall.ofInt("cfmakeraw");
  private static final NumberCall TCSETATTR = NumberCall.ofInt("tcsetattr");

  private PtyCalls() {}

  /** A new terminal, unlocked; answers the descriptor of its master side, which does not wait. */
  public static long open() {
    long fd =
        POSIX_OPENPT.call(FileCalls.O_RDWR | O_NOCTTY | FileCalls.O_NONBLOCK | FileCalls.O_CLOEXEC);
    if (fd < 0) {
      return fd;
    }
    long result = GRANTPT.call(fd);
    if (result == 0) {
      result = UNLOCKPT.call(fd);
    }
    if (result < 0) {
      FileCalls.close((int) fd);
      return result;
    }
    return fd;
  }

  /** The path of the other side, or "" when there is none. */
  public static String name(int master) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocate(NAME_BYTES);
      return PTSNAME_R.call(master, name.address(), NAME_BYTES) == 0 ? name.getString(0) : "";
    }
  }

  /** Opens the other side, as nobody's controlling terminal. Answers a descriptor. */
  public static long openOther(String name) {
    return FileCalls.open(name, FileCalls.O_RDWR | O_NOCTTY | FileCalls.O_CLOEXEC, 0);
  }

  /** Passes bytes through as they are: no echo, no lines, no signals. */
  public static long makeRaw(int terminal) {
    try (var arena = Arena.ofConfined()) {
      long termios = arena.allocate(TERMIOS_BYTES, 8).address();
      long result = TCGETATTR.call(terminal, termios);
      if (result < 0) {
        return result;
      }
      CFMAKERAW.call(termios);
      return TCSETATTR.call(terminal, TCSANOW, termios);
    }
  }
}
