package hawser.base;

import java.util.Objects;

/**
 * An operation on a disk failed in a way its caller must handle: the errno that a guest or an NBD
 * client will see, and a sentence that says what was being done.
 */
public final class BlockFault extends Exception {
  private static final long serialVersionUID = 1L;

  private final Errno errno;

  /** A failure with the words that tell a person what was being done and why it failed. */
  public BlockFault(Errno errno, String doing) {
    this(errno, doing, null);
  }

  /** As above, keeping the failure underneath. */
  public BlockFault(Errno errno, String doing, @org.jspecify.annotations.Nullable Throwable cause) {
    super(doing, cause);
    this.errno = errno;
  }

  private BlockFault(Errno errno) {
    super(errno.text(), null, false, false);
    this.errno = errno;
  }

  /**
   * A failure of which only the number is passed on, such as a name that does not exist: without a
   * stack trace, which would cost more than what was asked for.
   */
  public static BlockFault numberOnly(Errno errno) {
    return new BlockFault(errno);
  }

  /** A failed system call: {@code doing: strerror}. */
  public static BlockFault of(Errno errno, String doing) {
    return new BlockFault(errno, doing + ": " + errno.text());
  }

  /** What a guest or a client is told. */
  public Errno errno() {
    return errno;
  }

  /** The sentence for people; never null. */
  @Override
  public String getMessage() {
    return Objects.requireNonNull(super.getMessage());
  }
}
