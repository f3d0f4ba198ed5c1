package hawser.testkit.fuse;

/** Flags of INIT (linux/fuse.h, "INIT request/reply flags"). */
public final class InitFlags {
  public static final long ASYNC_READ = 1;
  public static final long POSIX_LOCKS = 1 << 1;
  public static final long ATOMIC_O_TRUNC = 1 << 3;
  public static final long EXPORT_SUPPORT = 1 << 4;
  public static final long BIG_WRITES = 1 << 5;
  public static final long DONT_MASK = 1 << 6;
  public static final long FLOCK_LOCKS = 1 << 10;
  public static final long HAS_IOCTL_DIR = 1 << 11;
  public static final long AUTO_INVAL_DATA = 1 << 12;
  public static final long DO_READDIRPLUS = 1 << 13;
  public static final long READDIRPLUS_AUTO = 1 << 14;
  public static final long ASYNC_DIO = 1 << 15;
  public static final long WRITEBACK_CACHE = 1 << 16;
  public static final long PARALLEL_DIROPS = 1 << 18;
  public static final long POSIX_ACL = 1 << 20;
  public static final long MAX_PAGES = 1 << 22;
  public static final long SUBMOUNTS = 1 << 27;
  public static final long HANDLE_KILLPRIV_V2 = 1 << 28;
  public static final long SETXATTR_EXT = 1 << 29;
  public static final long INIT_EXT = 1 << 30;
  public static final long SECURITY_CTX = 1L << 32;
  public static final long CREATE_SUPP_GROUP = 1L << 34;
  public static final long DIRECT_IO_ALLOW_MMAP = 1L << 36;
  public static final long ALLOW_IDMAP = 1L << 40;

  /** What every Linux of the last years sends and nothing looks different for. */
  public static final long EVERYDAY =
      ASYNC_READ
          | ATOMIC_O_TRUNC
          | BIG_WRITES
          | AUTO_INVAL_DATA
          | DO_READDIRPLUS
          | READDIRPLUS_AUTO
          | ASYNC_DIO
          | PARALLEL_DIROPS
          | MAX_PAGES
          | SETXATTR_EXT
          | INIT_EXT;

  private InitFlags() {}
}
