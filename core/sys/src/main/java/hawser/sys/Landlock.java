package hawser.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.Arena;

/**
 * Lets the calling thread, and those that it starts from then on, reach files below one folder
 * only, whatever names they are given (landlock(7)). Needs no privilege.
 */
public final class Landlock {
  private static final long CREATE_RULESET = 444;
  private static final long ADD_RULE = 445;
  private static final long RESTRICT_SELF = 446;
  private static final long GET_VERSION = 1;
  private static final long BENEATH_A_PATH = 1;

  /** All rights on files that each version of the interface knows, beginning with version 1. */
  private static final long[] FILE_RIGHTS = {
    0x1fff, 0x3fff, 0x7fff, 0x7fff, 0xffff,
  };

  private static final int VERSION_WITH_TCP = 4;
  private static final long BIND_AND_CONNECT_TCP = 3;
  private static final int VERSION_WITH_SCOPES = 6;
  private static final long SCOPE_ABSTRACT_SOCKETS = 1;

  private static final NumberCall SYSCALL = NumberCall.ofLong("syscall");

  private Landlock() {}

  /** The version of the kernel's interface; 0 where it has none. */
  public static int version() {
    return (int) Math.max(0, SYSCALL.call(CREATE_RULESET, 0, 0, GET_VERSION));
  }

  /**
   * Restricts the calling thread, which must have given up new privileges, to what lies below a
   * folder, with all rights there; TCP and sockets without a file are closed to it where the kernel
   * can do that.
   *
   * @param folder an open descriptor
   * @return 0 or a negated error number
   */
  public static long restrictTo(int folder) {
    int version = version();
    if (version == 0) {
      return -hawser.base.Errno.ENOSYS.number();
    }
    long rights = FILE_RIGHTS[Math.min(version, FILE_RIGHTS.length) - 1];
    try (var arena = Arena.ofConfined()) {
      // struct landlock_ruleset_attr: rights on files, on the network, scopes
      var rules = arena.allocate(24, 8);
      rules.set(JAVA_LONG, 0, rights);
      rules.set(JAVA_LONG, 8, version >= VERSION_WITH_TCP ? BIND_AND_CONNECT_TCP : 0);
      rules.set(JAVA_LONG, 16, version >= VERSION_WITH_SCOPES ? SCOPE_ABSTRACT_SOCKETS : 0);
      long set = SYSCALL.call(CREATE_RULESET, rules.address(), rules.byteSize(), 0);
      if (set < 0) {
        return set;
      }
      // struct landlock_path_beneath_attr: rights, folder
      var rule = arena.allocate(12, 8);
      rule.set(JAVA_LONG_UNALIGNED, 0, rights);
      rule.set(JAVA_INT_UNALIGNED, 8, folder);
      long result = SYSCALL.call(ADD_RULE, set, BENEATH_A_PATH, rule.address(), 0, 0);
      if (result == 0) {
        result = SYSCALL.call(RESTRICT_SELF, set, 0);
      }
      FileCalls.close((int) set);
      return result;
    }
  }
}
