package hawser.vhost.ring;

/** Takes chains back from devices. Called from any thread. */
public interface Completion {
  /** The device is done with a chain; see {@link Chain#complete}. */
  void complete(Chain chain, long written);

  /** The device leaves a chain to a successor; see {@link Chain#suspend}. */
  default void suspend(Chain chain) {
    throw new AssertionError("nobody asked for chain %d to be suspended".formatted(chain.slot()));
  }
}
