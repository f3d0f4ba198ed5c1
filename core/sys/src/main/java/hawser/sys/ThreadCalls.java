package hawser.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;

/**
 * What the kernel believes of the calling thread alone: by whom and with what rights it acts on
 * files. For platform threads of the caller's own, never for one that is lent out. A call answers
 * with its result or a negated error number.
 */
public final class ThreadCalls {
  private static final long SYS_SETGROUPS = Linux.onAarch64() ? 159 : 116;
  private static final long SYS_CAPGET = Linux.onAarch64() ? 90 : 125;
  private static final long SYS_CAPSET = Linux.onAarch64() ? 91 : 126;
  private static final int CAPABILITY_VERSION_3 = 0x20080522;
  private static final int CAP_FSETID = 4;
  private static final int CLONE_FS = 0x200;

  private static final NumberCall SETFSUID = NumberCall.ofInt("setfsuid");
  private static final NumberCall SETFSGID = NumberCall.ofInt("setfsgid");
  private static final NumberCall SYSCALL = NumberCall.ofLong("syscall");
  private static final NumberCall GETEUID = NumberCall.ofInt("geteuid");
  private static final NumberCall GETEGID = NumberCall.ofInt("getegid");
  private static final NumberCall UNSHARE = NumberCall.ofInt("unshare");
  private static final NumberCall UMASK = NumberCall.ofInt("umask");

  private ThreadCalls() {}

  /** geteuid(2). */
  public static int userId() {
    return (int) GETEUID.call(0);
  }

  /** getegid(2). */
  public static int groupId() {
    return (int) GETEGID.call(0);
  }

  /**
   * Gives the calling thread a umask, a root and a working directory of its own, until then those
   * of the process (unshare(2), CLONE_FS).
   */
  public static long ownUmask() {
    return UNSHARE.call(CLONE_FS);
  }

  /** umask(2), which is the process's or {@link #ownUmask}; answers the one before. */
  public static int umask(int mask) {
    return (int) UMASK.call(mask);
  }

  /** setfsuid(2): acts on files as this user; answers whether it does now. */
  public static boolean actAsUser(int uid) {
    SETFSUID.call(uid);
    return (int) SETFSUID.call(-1) == uid;
  }

  /** setfsgid(2): acts on files as this group; answers whether it does now. */
  public static boolean actAsGroup(int gid) {
    SETFSGID.call(gid);
    return (int) SETFSGID.call(-1) == gid;
  }

  /** setgroups(2), of this thread only. */
  public static long setGroups(int... groups) {
    try (var arena = Arena.ofConfined()) {
      var list = arena.allocateFrom(JAVA_INT, groups);
      return SYSCALL.call(SYS_SETGROUPS, groups.length, list.address());
    }
  }

  /**
   * Takes or gives up the right to keep a file's set-user-ID and set-group-ID bits in a write
   * (CAP_FSETID).
   */
  public static long keepSetIds(boolean keep) {
    try (var arena = Arena.ofConfined()) {
      var header = arena.allocate(8, 4);
      header.set(JAVA_INT, 0, CAPABILITY_VERSION_3);
      var sets = arena.allocate(24, 4);
      long result = SYSCALL.call(SYS_CAPGET, header.address(), sets.address());
      if (result < 0) {
        return result;
      }
      int effective = sets.get(JAVA_INT, 0);
      int bit = 1 << CAP_FSETID;
      int permitted = sets.get(JAVA_INT, 4);
      sets.set(JAVA_INT, 0, keep ? effective | (bit & permitted) : effective & ~bit);
      return SYSCALL.call(SYS_CAPSET, header.address(), sets.address());
    }
  }
}
