package hawser.block.format.qcow2;

import java.util.concurrent.atomic.LongAdder;

/**
 * Tells when no request can still be using a cluster that was taken out of the tables.
 *
 * <p>A request enters before it looks up clusters and leaves when its last byte is moved. A cluster
 * freed while requests are under way may still be read or written by them; it is reused only after
 * every request of its epoch has left. Two epochs alternate; counting up and down goes to separate
 * adders, read in the order that cannot miss a request (left first).
 */
final class DataEpochs {
  private final LongAdder[] entered = {new LongAdder(), new LongAdder()};
  private final LongAdder[] left = {new LongAdder(), new LongAdder()};
  private volatile int current;

  /** Starts a request; the ticket goes to {@link #leave}. */
  int enter() {
    while (true) {
      int ticket = current;
      entered[ticket].increment();
      if (current == ticket) {
        return ticket;
      }
      left[ticket].increment();
    }
  }

  /** Ends a request. */
  void leave(int ticket) {
    left[ticket].increment();
  }

  /**
   * Starts a new epoch and answers the ticket of the one before. Only when the epoch before that
   * has drained.
   */
  int advance() {
    int old = current;
    current = 1 - old;
    return old;
  }

  /** Whether every request with that ticket, which is not the current one, has left. */
  boolean drained(int ticket) {
    long gone = left[ticket].sum();
    return entered[ticket].sum() == gone;
  }
}
