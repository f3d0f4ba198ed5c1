package hawser.fs.passthrough;

/**
 * How much of a share's state may travel.
 *
 * @param embeddedBytes bytes of files without a name, which travel with their content, in all
 */
public record StateLimits(long embeddedBytes) {
  /** Open files of one state at most. */
  static final int FILES_MAX = 4 << 20;

  /** What is usual. */
  public static final StateLimits USUAL = new StateLimits(1L << 30);
}
