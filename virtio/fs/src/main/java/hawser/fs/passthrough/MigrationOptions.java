package hawser.fs.passthrough;

import hawser.fs.state.StateForms;

/**
 * How a guest leaves and arrives.
 *
 * @param onError what happens when something of it cannot be had here
 * @param form how its state is written; both forms are read
 */
public record MigrationOptions(OnError onError, StateForms form, StateLimits limits) {
  /** What becomes of a guest that uses a file which cannot be found here. */
  public enum OnError {
    /** It stays where it is. */
    ABORT,
    /** It goes on, and that file fails. */
    GUEST_ERROR
  }

  /** What is usual. */
  public static final MigrationOptions USUAL =
      new MigrationOptions(OnError.ABORT, StateForms.HAWSER, StateLimits.USUAL);
}
