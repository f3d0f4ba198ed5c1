package hawser.nbd;

import hawser.base.Errno;

/** The error numbers that may stand in a reply (proto.md, "Error values"). */
public enum NbdError {
  /** Not permitted: the export is read-only. */
  EPERM(1),
  /** Input or output failed. */
  EIO(5),
  /** Out of memory. */
  ENOMEM(12),
  /** The request makes no sense. */
  EINVAL(22),
  /** No room left, or past the end of a write. */
  ENOSPC(28),
  /** The answer does not fit. */
  EOVERFLOW(75),
  /** Not supported, or not fast. */
  ENOTSUP(95),
  /** The server is stopping. */
  ESHUTDOWN(108);

  private final int number;

  NbdError(int number) {
    this.number = number;
  }

  /** The number on the wire. */
  public int number() {
    return number;
  }

  /** How a failure of a node is told to a client; what the protocol cannot say becomes EINVAL. */
  public static NbdError of(Errno errno) {
    return switch (errno) {
      case EPERM, EROFS -> EPERM;
      case EIO -> EIO;
      case ENOMEM -> ENOMEM;
      case ENOSPC, EDQUOT, EFBIG -> ENOSPC;
      case EOVERFLOW -> EOVERFLOW;
      case EOPNOTSUPP -> ENOTSUP;
      case ESHUTDOWN -> ESHUTDOWN;
      default -> EINVAL;
    };
  }

  /** What a server's number means to a node; one the protocol does not have is EINVAL. */
  public static Errno errno(int number) {
    return switch (number) {
      case 1 -> Errno.EPERM;
      case 5 -> Errno.EIO;
      case 12 -> Errno.ENOMEM;
      case 28 -> Errno.ENOSPC;
      case 75 -> Errno.EOVERFLOW;
      case 95 -> Errno.EOPNOTSUPP;
      case 108 -> Errno.ESHUTDOWN;
      default -> Errno.EINVAL;
    };
  }
}
