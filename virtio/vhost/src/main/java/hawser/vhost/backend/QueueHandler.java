package hawser.vhost.backend;

import hawser.vhost.ring.Chain;

/**
 * Serves the chains of one virtqueue, on the queue's thread. Whatever takes long is better done
 * elsewhere and completed from there, for the next chain waits behind it.
 */
public interface QueueHandler extends AutoCloseable {
  /** Serves a chain. Sooner or later {@link Chain#complete} must be called, by any thread. */
  void handle(Chain chain);

  /** Every chain that is there has been handed over, for now. */
  default void batchEnd() {}

  /**
   * A descriptor that becomes readable when this handler has something to do, or -1. It is polled
   * while the queue waits for chains.
   */
  default int descriptor() {
    return -1;
  }

  /** Looks after what {@link #descriptor} tells of; called often, must not wait. */
  default void attend() {}

  /** The queue stops: every chain has been completed, and no more come. */
  @Override
  default void close() {}
}
