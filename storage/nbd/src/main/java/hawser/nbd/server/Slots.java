package hawser.nbd.server;

import java.util.ArrayDeque;

/** The requests of one connection that are being worked on by other threads; a fixed number. */
final class Slots {
  private final ArrayDeque<Slot> free;
  private final int most;
  private int made;

  Slots(int most) {
    this.most = most;
    this.free = new ArrayDeque<>(most);
  }

  /** A free slot; waits while all are busy. */
  synchronized Slot take(Transmission owner) {
    if (free.isEmpty() && made < most) {
      return new Slot(owner, made++);
    }
    awaitUntil(() -> !free.isEmpty());
    return free.removeLast();
  }

  /** Makes a slot free. */
  synchronized void give(Slot slot) {
    free.addLast(slot);
    notifyAll();
  }

  /** Returns when no slot is busy. */
  synchronized void awaitIdle() {
    awaitUntil(() -> free.size() == made);
  }

  /** Whether {@link #take} would wait. */
  synchronized boolean full() {
    return free.isEmpty() && made == most;
  }

  private void awaitUntil(java.util.function.BooleanSupplier condition) {
    boolean interrupted = false;
    while (!condition.getAsBoolean()) {
      try {
        wait();
      } catch (InterruptedException e) {
        // The work that is awaited uses memory that would be freed; it must be over.
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
