package hawser.fs.passthrough;

import hawser.fs.fuse.FuseReply;
import hawser.fs.fuse.FuseRequest;
import hawser.fs.fuse.InitFlag;
import java.util.Arrays;
import java.util.stream.Collectors;

/** What is agreed in INIT. */
final class Features {
  /** The oldest kernel that is served: Linux 4.20 speaks it. */
  private static final int MINOR_MIN = 27;

  private static final int READ_BYTES_MAX = 1 << 20;
  private static final int PAGE_BYTES = 4096;
  private static final int BACKGROUND_MAX = 0xffff;
  private static final int CONGESTION = BACKGROUND_MAX / 4 * 3;

  private static final long ACL =
      InitFlag.mask(InitFlag.POSIX_ACL, InitFlag.DONT_MASK, InitFlag.SETXATTR_EXT);

  private Features() {}

  /** Whether a kernel of this version can be served. */
  static boolean knows(FuseRequest.Init init) {
    return init.major() == FuseReply.Agreed.MAJOR && init.minor() >= MINOR_MIN;
  }

  /** What such a kernel is told. */
  static FuseReply.Agreed agree(FuseRequest.Init init, ShareOptions options) {
    return new FuseReply.Agreed(
        FuseReply.Agreed.MINOR,
        init.maxReadahead(),
        init.flags() & wanted(options),
        BACKGROUND_MAX,
        CONGESTION,
        READ_BYTES_MAX,
        1,
        READ_BYTES_MAX / PAGE_BYTES);
  }

  /** The flags that a daemon with these options agrees to. */
  static long wanted(ShareOptions options) {
    long wanted =
        InitFlag.mask(
            InitFlag.ASYNC_READ,
            InitFlag.ATOMIC_O_TRUNC,
            InitFlag.BIG_WRITES,
            InitFlag.AUTO_INVAL_DATA,
            InitFlag.ASYNC_DIO,
            InitFlag.PARALLEL_DIROPS,
            InitFlag.MAX_PAGES,
            InitFlag.INIT_EXT,
            InitFlag.CREATE_SUPP_GROUP,
            InitFlag.ALLOW_IDMAP);
    wanted |= when(options.readdirplus(), InitFlag.DO_READDIRPLUS, InitFlag.READDIRPLUS_AUTO);
    wanted |= when(options.writeback(), InitFlag.WRITEBACK_CACHE);
    wanted |= when(options.posixLocks(), InitFlag.POSIX_LOCKS);
    wanted |= when(options.flocks(), InitFlag.FLOCK_LOCKS);
    wanted |= when(options.announceSubmounts(), InitFlag.SUBMOUNTS);
    wanted |= when(options.killprivV2(), InitFlag.HANDLE_KILLPRIV_V2);
    wanted |= when(options.allowMmap(), InitFlag.DIRECT_IO_ALLOW_MMAP);
    return wanted | needed(options);
  }

  /**
   * Those of them without which there is no going on: files would be made with other rights or
   * labels than the administrator asked for. As virtiofsd.
   */
  private static long needed(ShareOptions options) {
    return (options.posixAcl() ? ACL : 0) | when(options.securityLabel(), InitFlag.SECURITY_CTX);
  }

  /** The flags that a daemon with these options cannot do without and a kernel does not have. */
  static long lacking(FuseRequest.Init init, ShareOptions options) {
    return needed(options) & ~init.flags();
  }

  private static long when(boolean condition, InitFlag... flags) {
    return condition ? InitFlag.mask(flags) : 0;
  }

  /** Flags by their names. */
  static String names(long flags) {
    return Arrays.stream(InitFlag.values())
        .filter(flag -> flag.in(flags))
        .map(InitFlag::name)
        .collect(Collectors.joining(", "));
  }
}
