package hawser.block.inspect;

import java.util.Locale;

/** What to do with an image; each is worse than the one before. */
public enum Verdict {
  /** Nothing speaks against it. */
  CLEAN(0),
  /** Usable, and odd: a person should look at the findings. */
  SUSPICIOUS(1),
  /** Not to be opened: it reaches for other files, or no reader could use it. */
  REFUSE(2);

  private final int exitCode;

  Verdict(int exitCode) {
    this.exitCode = exitCode;
  }

  /** The exit code of {@code img inspect}: 0, 1, 2. */
  public int exitCode() {
    return exitCode;
  }

  /** Lower case. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
