package hawser.testkit;

import java.util.List;

/**
 * What a finished program left: its exit code (128 + number when a signal ended it) and all it
 * printed, as UTF-8.
 */
public record Ran(List<String> command, int exitCode, String out, String err) {
  /** The same; an assertion error with everything the program printed unless it ended with 0. */
  public Ran ok() {
    if (exitCode != 0) {
      throw new AssertionError(toString());
    }
    return this;
  }

  /** Standard output followed by standard error. */
  public String all() {
    return out + err;
  }

  @Override
  public String toString() {
    return "%s ended with %d%n%s%s".formatted(String.join(" ", command), exitCode, out, err);
  }
}
