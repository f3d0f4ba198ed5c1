package hawser.vhost.backend;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/**
 * A device whose internal state goes along when its guest migrates (vhost-user, "Migrating back-end
 * state"). Called on a thread of its own, while no queue works.
 */
public interface SavesState {
  /**
   * Whether a state that was saved is sure to be taken, so that its guest may migrate by postcopy,
   * from which there is no way back.
   */
  default boolean sureToLoad() {
    return false;
  }

  /** The guest is going to migrate: a good moment to get ready, while it still runs. */
  default void prepare() {}

  /** Migration has been called off. */
  default void cancel() {}

  /**
   * The front-end is about to ask for the state, and can still be told that it is not to be had:
   * the guest then goes on where it is. No queue works. Called on the connection's thread.
   *
   * @throws IOException saying what stands in the way
   */
  default void readyToSave() throws IOException {}

  /** Writes everything that {@link #load} needs at the destination. */
  void save(OutputStream to) throws IOException;

  /**
   * Takes over a state, all of it or, when this fails, nothing. The stream is a stranger's.
   *
   * @throws IOException saying what is wrong with it
   */
  void load(InputStream from) throws IOException;
}
