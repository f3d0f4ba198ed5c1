package hawser.fs.passthrough;

import hawser.base.Errno;

/**
 * The kernel's or our own no to a request, on its way to the reply. Never leaves the package, and
 * is no fault: most guests ask for names that do not exist all day long. Without a stack trace,
 * which would cost more than the request.
 */
final class Refusal extends Exception {
  private static final long serialVersionUID = 1;

  /** Linux's error number, positive. */
  final int errno;

  Refusal(int errno) {
    super(null, null, false, false);
    this.errno = errno;
  }

  Refusal(Errno errno) {
    this(errno.number());
  }

  /** The result of a system call, if it is none of the negated error numbers. */
  static long check(long result) throws Refusal {
    if (result < 0) {
      throw new Refusal((int) -result);
    }
    return result;
  }
}
