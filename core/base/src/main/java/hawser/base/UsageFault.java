package hawser.base;

/**
 * A command cannot do what it was asked to: ends the command with the text and exit code of the
 * program it stands in for. The text comes without the program's name in front.
 */
public final class UsageFault extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int exitCode;

  /** Ends the command with exit code 1. */
  public UsageFault(String message) {
    this(message, 1);
  }

  /** Ends the command with the given exit code. */
  public UsageFault(String message, int exitCode) {
    super(message);
    this.exitCode = exitCode;
  }

  /** The process's exit code, 0 to 255: some originals refuse with 0. */
  public int exitCode() {
    return exitCode;
  }
}
