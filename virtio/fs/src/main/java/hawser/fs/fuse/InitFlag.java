package hawser.fs.fuse;

/** What kernel and file system tell each other in INIT that they can do; 64 bits in two words. */
public enum InitFlag {
  ASYNC_READ(0),
  POSIX_LOCKS(1),
  FILE_OPS(2),
  ATOMIC_O_TRUNC(3),
  EXPORT_SUPPORT(4),
  BIG_WRITES(5),
  DONT_MASK(6),
  SPLICE_WRITE(7),
  SPLICE_MOVE(8),
  SPLICE_READ(9),
  FLOCK_LOCKS(10),
  HAS_IOCTL_DIR(11),
  AUTO_INVAL_DATA(12),
  DO_READDIRPLUS(13),
  READDIRPLUS_AUTO(14),
  ASYNC_DIO(15),
  WRITEBACK_CACHE(16),
  NO_OPEN_SUPPORT(17),
  PARALLEL_DIROPS(18),
  HANDLE_KILLPRIV(19),
  POSIX_ACL(20),
  ABORT_ERROR(21),
  MAX_PAGES(22),
  CACHE_SYMLINKS(23),
  NO_OPENDIR_SUPPORT(24),
  EXPLICIT_INVAL_DATA(25),
  MAP_ALIGNMENT(26),
  SUBMOUNTS(27),
  HANDLE_KILLPRIV_V2(28),
  SETXATTR_EXT(29),
  INIT_EXT(30),
  SECURITY_CTX(32),
  HAS_INODE_DAX(33),
  CREATE_SUPP_GROUP(34),
  HAS_EXPIRE_ONLY(35),
  DIRECT_IO_ALLOW_MMAP(36),
  PASSTHROUGH(37),
  NO_EXPORT_SUPPORT(38),
  HAS_RESEND(39),
  ALLOW_IDMAP(40),
  OVER_IO_URING(41);

  /** The flag as a mask. */
  public final long mask;

  InitFlag(int bit) {
    this.mask = 1L << bit;
  }

  /** Whether it is among {@code flags}. */
  public boolean in(long flags) {
    return (flags & mask) != 0;
  }

  /** The flags together. */
  public static long mask(InitFlag... flags) {
    long all = 0;
    for (InitFlag flag : flags) {
      all |= flag.mask;
    }
    return all;
  }
}
