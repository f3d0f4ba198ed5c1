package hawser.vhost.ring;

/** Takes chains back from devices. Called from any thread. */
public interface Completion {
  /** The device is done with a chain; see {@link Chain#complete}. */
  void complete(Chain chain, long written);
}
