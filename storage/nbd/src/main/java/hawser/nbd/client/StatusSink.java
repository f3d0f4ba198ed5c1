package hawser.nbd.client;

/** Takes the extents of a block status answer, in the order in which they come. */
@FunctionalInterface
public interface StatusSink {
  /**
   * One extent.
   *
   * @param context the number of the context, as agreed
   * @param length bytes, at least 1; may reach past what was asked for
   * @param flags what the context says of them
   */
  void extent(int context, long length, long flags);
}
