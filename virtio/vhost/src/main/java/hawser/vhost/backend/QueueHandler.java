package hawser.vhost.backend;

import hawser.vhost.ring.Chain;

/**
 * Serves the chains of one virtqueue, on the queue's thread. Whatever takes long is better done
 * elsewhere and completed from there, for the next chain waits behind it.
 */
public interface QueueHandler extends AutoCloseable {
  /**
   * Whether there is a use for another chain now. While there is none, chains stay with the driver,
   * so that a queue that carries what the device has to say stops without holding any: the
   * handler's {@link #event} tells when that changes. Asked before each chain.
   */
  default boolean wants() {
    return true;
  }

  /** Serves a chain. Sooner or later {@link Chain#complete} must be called, by any thread. */
  void handle(Chain chain);

  /**
   * An eventfd, or a timer, that is readable when this handler has something to do, or -1. The
   * queue waits for it too and sets it back.
   */
  default int event() {
    return -1;
  }

  /**
   * Looks after what {@link #event} tells of; called often, and whenever every chain that is there
   * has been handed over for now; must not wait.
   *
   * @return whether there was something
   */
  default boolean attend() {
    return false;
  }

  /**
   * The queue is about to stop and waits for the chains that are under way: those that wait for
   * something that may never happen are to be completed now.
   */
  default void stopping() {}

  /**
   * As {@link #stopping}, for a device with {@link Device#suspendsRequests}: chains that nobody has
   * begun to serve may be left to whoever goes on with the queue ({@link Chain#suspend}).
   */
  default void suspending() {
    stopping();
  }

  /** The queue stops: every chain has been completed, and no more come. */
  @Override
  default void close() {}
}
