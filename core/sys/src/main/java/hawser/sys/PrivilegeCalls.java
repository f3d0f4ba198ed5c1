package hawser.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;

/**
 * Gives up what the calling thread may do. Threads that it starts afterwards, and a program that it
 * becomes or starts, have no more than it has. A call answers 0 or a negated error number.
 */
public final class PrivilegeCalls {
  /** CAP_SYS_ADMIN. */
  public static final int SYS_ADMIN = 21;

  /** CAP_SYS_CHROOT. */
  public static final int SYS_CHROOT = 18;

  private static final int CAPABILITIES_MAX = 64;
  private static final long SYS_CAPGET = Linux.onAarch64() ? 90 : 125;
  private static final long SYS_CAPSET = Linux.onAarch64() ? 91 : 126;
  private static final int CAPABILITY_VERSION_3 = 0x20080522;
  private static final int PR_SET_PDEATHSIG = 1;
  private static final int PR_CAPBSET_READ = 23;
  private static final int PR_CAPBSET_DROP = 24;
  private static final int PR_SET_NO_NEW_PRIVS = 38;
  private static final int PR_CAP_AMBIENT = 47;
  private static final int PR_CAP_AMBIENT_RAISE = 2;
  private static final int PR_CAP_AMBIENT_CLEAR_ALL = 4;

  private static final NumberCall SYSCALL = NumberCall.ofLong("syscall");
  private static final NumberCall PRCTL = NumberCall.ofInt("prctl");

  private PrivilegeCalls() {}

  /** The capabilities that the thread has and may use, one bit each (capabilities(7)). */
  public static long effective() {
    try (var arena = Arena.ofConfined()) {
      var header = header(arena);
      var sets = arena.allocate(24, 4);
      if (SYSCALL.call(SYS_CAPGET, header, sets.address()) < 0) {
        return 0;
      }
      return Integer.toUnsignedLong(sets.get(JAVA_INT, 0)) | (long) sets.get(JAVA_INT, 12) << 32;
    }
  }

  /**
   * Keeps at most these capabilities, also in the program that the thread becomes or starts,
   * whoever its user is, and gives up the right to get others back.
   */
  public static long keepOnly(long capabilities) {
    long before = effective();
    long kept = before & capabilities;
    // They can be made inheritable only while they are in the bounding set.
    long result = set(before, kept);
    for (int each = 0; each < CAPABILITIES_MAX && result == 0; each++) {
      if (PRCTL.call(PR_CAPBSET_READ, each) == 1) {
        // Without CAP_SETPCAP the set stays; new privileges are given up all the same.
        PRCTL.call(PR_CAPBSET_DROP, each);
      }
    }
    if (result == 0) {
      result = set(kept, kept);
    }
    if (result == 0) {
      result = PRCTL.call(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL);
    }
    for (int each = 0; each < CAPABILITIES_MAX && result == 0; each++) {
      if ((kept >> each & 1) != 0) {
        result = PRCTL.call(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, each);
      }
    }
    return result == 0 ? noNewPrivileges() : result;
  }

  /** No program that the thread becomes or starts can have more rights than it has. */
  public static long noNewPrivileges() {
    return PRCTL.call(PR_SET_NO_NEW_PRIVS, 1);
  }

  /** This process is sent a signal when the thread that started it ends. */
  public static long dieWithParent(int signal) {
    return PRCTL.call(PR_SET_PDEATHSIG, signal);
  }

  /** Sets what the thread has and may use, and what a program may inherit. */
  private static long set(long permitted, long inheritable) {
    try (var arena = Arena.ofConfined()) {
      // struct __user_cap_data_struct[2]: effective, permitted, inheritable
      var sets = arena.allocate(24, 4);
      for (int half = 0; half < 2; half++) {
        int shift = half * Integer.SIZE;
        sets.set(JAVA_INT, half * 12L, (int) (permitted >>> shift));
        sets.set(JAVA_INT, half * 12L + 4, (int) (permitted >>> shift));
        sets.set(JAVA_INT, half * 12L + 8, (int) (inheritable >>> shift));
      }
      return SYSCALL.call(SYS_CAPSET, header(arena), sets.address());
    }
  }

  private static long header(Arena arena) {
    var header = arena.allocate(8, 4);
    header.set(JAVA_INT, 0, CAPABILITY_VERSION_3);
    return header.address();
  }
}
