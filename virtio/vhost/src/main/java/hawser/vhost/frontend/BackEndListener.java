package hawser.vhost.frontend;

import hawser.vhost.message.BackEndMessage;
import hawser.vhost.message.Descriptors;

/**
 * What a front-end does with the requests of its back-end. Called on the channel's own thread, one
 * request after the other; it must not wait for an answer of the same back-end, unless that does
 * not wait for this one (a missing translation).
 */
@FunctionalInterface
public interface BackEndListener {
  /** Accepts everything and does nothing. */
  BackEndListener NONE = (_, _) -> Answer.OK;

  /**
   * The number of the answer and the descriptor that goes with it.
   *
   * @param value 0 for success
   * @param descriptor closed once it is sent, or {@link Descriptors#NONE}
   */
  record Answer(long value, int descriptor) {
    /** Done. */
    public static final Answer OK = of(0);

    /** Not done. */
    public static final Answer REFUSED = of(1);

    /** A number alone. */
    public static Answer of(long value) {
      return new Answer(value, Descriptors.NONE);
    }
  }

  /** Does what is asked; descriptors that it does not take are closed. */
  Answer answer(BackEndMessage message, Descriptors descriptors);
}
