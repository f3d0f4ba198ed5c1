package hawser.tools.sandbox;

/** How a daemon is kept away from all files but those it shares. */
public enum SandboxMode {
  /**
   * Mounts, process numbers, network and, for users other than root, user numbers of its own: the
   * shared folder is all that there is. With Landlock where the kernel has it.
   */
  NAMESPACE,
  /** The shared folder is its root; for root only. With Landlock where the kernel has it. */
  CHROOT,
  /** Landlock alone, which needs no privilege: ours, virtiofsd has no such mode. */
  LANDLOCK,
  /** Nothing. */
  NONE;

  /** The capabilities that root's way into it takes, beside those that the daemon keeps. */
  long entrance() {
    return switch (this) {
      // The share may lie in a folder that is not root's.
      case NAMESPACE -> Capability.SYS_ADMIN.bit() | Capability.DAC_OVERRIDE.bit();
      case CHROOT -> Capability.SYS_CHROOT.bit() | Capability.DAC_OVERRIDE.bit();
      case LANDLOCK, NONE -> 0;
    };
  }

  /** Whether the shared folder becomes the root of all paths. */
  boolean movesRoot() {
    return this == NAMESPACE || this == CHROOT;
  }
}
