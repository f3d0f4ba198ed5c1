package hawser.sys;

import java.nio.charset.StandardCharsets;

/**
 * Calls that change what part of the machine a thread or the process sees. A call answers 0 or a
 * negated error number.
 */
public final class NamespaceCalls {
  /** {@link #unshare}: mounts of its own. */
  public static final int CLONE_NEWNS = 0x00020000;

  /** {@link #unshare}: System V and POSIX message queues of its own. */
  public static final int CLONE_NEWIPC = 0x08000000;

  /** {@link #unshare}: process numbers of its own, for the processes that it starts. */
  public static final int CLONE_NEWPID = 0x20000000;

  /** {@link #unshare}: a network of its own, which has no way out. */
  public static final int CLONE_NEWNET = 0x40000000;

  private static final int MS_BIND = 0x1000;
  private static final int MS_REC = 0x4000;
  private static final int MS_SLAVE = 0x80000;
  private static final int MNT_DETACH = 2;
  private static final long SYS_PIVOT_ROOT = Linux.onAarch64() ? 41 : 155;

  private static final NumberCall SYSCALL = NumberCall.ofLong("syscall");
  private static final NumberCall UNSHARE = NumberCall.ofInt("unshare");
  private static final NumberCall MOUNT = NumberCall.ofInt("mount");
  private static final NumberCall UMOUNT2 = NumberCall.ofInt("umount2");
  private static final NumberCall CHROOT = NumberCall.ofInt("chroot");
  private static final NumberCall CHDIR = NumberCall.ofInt("chdir");
  private static final NumberCall FCHDIR = NumberCall.ofInt("fchdir");

  private static final byte[] HERE = {'.'};
  private static final byte[] ROOT = {'/'};

  private NamespaceCalls() {}

  /** unshare(2), of the calling thread. */
  public static long unshare(int flags) {
    return UNSHARE.call(flags);
  }

  /** What is mounted here from now on is seen nowhere else; what is elsewhere is seen here. */
  public static long hideMounts() {
    return MOUNT.call(0, PathBuffer.mine().first(ROOT), 0, MS_REC | MS_SLAVE, 0, 0);
  }

  /** Mounts a folder, and what is mounted in it, on itself. */
  public static long mountOnItself(String folder) {
    long path = PathBuffer.mine().first(bytes(folder));
    return MOUNT.call(path, path, 0, MS_BIND | MS_REC, 0, 0);
  }

  /**
   * Makes a mounted folder the root of every process that lives in the calling thread's mount
   * namespace and has its root (pivot_root(2)), and detaches all else.
   */
  public static long becomeRoot(String mounted) {
    long result = CHDIR.call(PathBuffer.mine().first(bytes(mounted)));
    if (result == 0) {
      long here = PathBuffer.mine().first(HERE);
      // The old root comes to lie on the new one, and is taken away from there (pivot_root(2)).
      result = SYSCALL.call(SYS_PIVOT_ROOT, here, here);
      return result < 0 ? result : UMOUNT2.call(PathBuffer.mine().first(HERE), MNT_DETACH);
    }
    return result;
  }

  /** chroot(2) to a folder, of the process: its threads share their root. */
  public static long chroot(String folder) {
    return CHROOT.call(PathBuffer.mine().first(bytes(folder)));
  }

  /** fchdir(2), of the process, but not of threads with a root of their own. */
  public static long changeDirectory(int folder) {
    return FCHDIR.call(folder);
  }

  private static byte[] bytes(String path) {
    return path.getBytes(StandardCharsets.UTF_8);
  }
}
