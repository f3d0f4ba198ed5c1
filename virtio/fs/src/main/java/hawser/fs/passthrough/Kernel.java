package hawser.fs.passthrough;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.sys.Result;

/**
 * The kernel's no to a request, on its way to the reply. It carries no more than its number: most
 * guests ask for names that do not exist all day long.
 */
final class Kernel {
  private Kernel() {}

  /** The result of a system call, if it is none of the negated error numbers. */
  static long check(long result) throws BlockFault {
    if (result < 0) {
      throw no(result);
    }
    return result;
  }

  /** What a negated error number means. */
  static BlockFault no(long result) {
    return BlockFault.numberOnly(Result.errno(result));
  }

  /** Our own no. */
  static BlockFault no(Errno errno) {
    return BlockFault.numberOnly(errno);
  }
}
