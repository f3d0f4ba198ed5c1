package hawser.nbd.server;

import hawser.nbd.transport.Transport;
import hawser.sys.MessageHeader;
import java.lang.foreign.Arena;
import java.util.ArrayDeque;

/**
 * The sending side of one connection. Replies that finish while another send is under way wait
 * together and leave in one call; one thread at most waits to send them.
 */
final class ReplySender implements AutoCloseable {
  private final Transport transport;
  private final Arena arena = Arena.ofShared();
  private final Object turn = new Object();
  private final MessageHeader message;
  private final ArrayDeque<Slot> leaving;

  private final ArrayDeque<Slot> finished;
  private boolean senderWaits;

  /** For at most {@code slots} replies at a time. */
  ReplySender(Transport transport, int slots) {
    this.transport = transport;
    this.message = new MessageHeader(arena, Math.max(2, slots), 0);
    this.leaving = new ArrayDeque<>(slots + 1);
    this.finished = new ArrayDeque<>(slots + 1);
  }

  /** Sends bytes that the caller keeps, after waiting for its turn. */
  void send(long address, long bytes) {
    synchronized (turn) {
      message.pieces().clear();
      message.pieces().add(address, bytes);
      transport.send(message);
    }
  }

  /** As above, two pieces together; the first may be empty. */
  void send(long firstAddress, long firstBytes, long address, long bytes) {
    synchronized (turn) {
      message.pieces().clear();
      if (firstBytes > 0) {
        message.pieces().add(firstAddress, firstBytes);
      }
      message.pieces().add(address, bytes);
      transport.send(message);
    }
  }

  /** Sends the reply of a slot now or with the next ones, then lets the slot be used again. */
  void finish(Slot slot) {
    synchronized (finished) {
      finished.addLast(slot);
      if (senderWaits) {
        return;
      }
      senderWaits = true;
    }
    sendAll();
  }

  private void sendAll() {
    synchronized (turn) {
      try {
        sendFinished();
      } finally {
        releaseLeft();
      }
    }
  }

  /** Keeps the reply of a slot for the next {@link #sendHeld}. */
  void hold(Slot slot) {
    synchronized (finished) {
      finished.addLast(slot);
    }
  }

  /** Sends what is held, in one call, then lets the slots be used again. */
  void sendHeld() {
    synchronized (finished) {
      if (finished.isEmpty()) {
        return;
      }
    }
    sendAll();
  }

  private void sendFinished() {
    synchronized (finished) {
      senderWaits = false;
      while (!finished.isEmpty()) {
        leaving.addLast(finished.pollFirst());
      }
    }
    message.pieces().clear();
    for (Slot slot : leaving) {
      slot.addReply(message.pieces());
    }
    transport.send(message);
  }

  private void releaseLeft() {
    for (Slot slot = leaving.pollFirst(); slot != null; slot = leaving.pollFirst()) {
      slot.release();
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}
