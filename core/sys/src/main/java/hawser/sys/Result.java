package hawser.sys;

import hawser.base.BlockFault;
import hawser.base.Errno;

/** Reading of the numbers that system calls answer with. */
public final class Result {
  private Result() {}

  /** Whether the call failed. */
  public static boolean failed(long result) {
    return result < 0;
  }

  /** The error of a failed call. */
  public static Errno errno(long result) {
    return Errno.of((int) -result);
  }

  /**
   * The result, or a fault that reads {@code doing: text of the error}.
   *
   * @throws BlockFault when the call failed
   */
  public static long orFault(long result, String doing) throws BlockFault {
    if (result < 0) {
      throw BlockFault.of(errno(result), doing);
    }
    return result;
  }
}
