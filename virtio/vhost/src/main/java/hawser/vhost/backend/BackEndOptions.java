package hawser.vhost.backend;

import java.util.function.Consumer;
import java.util.function.IntConsumer;

/**
 * How a back-end works.
 *
 * @param pollNanos how long a queue stays awake after its last chain, looking for the next; 0
 *     sleeps at once
 * @param inOrder whether chains may be promised to come back in the order they were taken in
 *     (VIRTIO_F_IN_ORDER)
 * @param inBand whether to offer kicks and calls as messages, for simulations; not to QEMU, which
 *     agrees to them and then does not send any
 * @param log takes one line for everything that a person should know
 * @param crashPoint told each step of the record of requests under way, and {@link #BEFORE_CALL},
 *     for tests that end the process there
 */
public record BackEndOptions(
    long pollNanos, boolean inOrder, boolean inBand, Consumer<String> log, IntConsumer crashPoint) {
  /** The step at which a chain is used and its driver, which waits for that, not yet called. */
  public static final int BEFORE_CALL = 0;

  /** About as long as it takes to wake a thread twice. */
  public static final long POLL_NANOS = 50_000;

  /** The usual way, with messages to {@code log}. */
  public static BackEndOptions loggingTo(Consumer<String> log) {
    return new BackEndOptions(POLL_NANOS, false, false, log, _ -> {});
  }
}
