package hawser.fs.passthrough;

/**
 * How a guest leaves and arrives.
 *
 * @param onError what happens when something of it cannot be had here
 */
public record MigrationOptions(OnError onError, StateLimits limits) {
  /** What becomes of a guest that uses a file which cannot be found here. */
  public enum OnError {
    /** It stays where it is. */
    ABORT,
    /** It goes on, and that file fails. */
    GUEST_ERROR
  }

  /** What is usual. */
  public static final MigrationOptions USUAL =
      new MigrationOptions(OnError.ABORT, StateLimits.USUAL);
}
