package hawser.testkit.fuse;

import hawser.base.PeerFault;
import hawser.base.Wire;
import hawser.vhost.frontend.FrontEnd;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Requests and answers on one queue, one after the other or several under way at once. An answer
 * that does not fit its request is a {@link PeerFault}. Belongs to one thread.
 */
public final class FuseQueue {
  private static final int PATIENCE_MS = (int) FrontEnd.PATIENCE.toMillis();

  private final FuseRing ring;
  private final AtomicLong uniques;
  private final Map<Integer, Ticket> underWay = new HashMap<>();
  private final Map<Ticket, Answer> answered = new HashMap<>();

  /** A request under way, by the number that its header has. */
  public record Ticket(long unique, int slot) {}

  FuseQueue(FuseRing ring, AtomicLong uniques) {
    this.ring = ring;
    this.uniques = uniques;
  }

  /** The ring, for requests that are no requests. */
  public FuseRing ring() {
    return ring;
  }

  /** Sends a request and waits for its answer. */
  public Answer call(Request request, int room) {
    return await(send(request, room));
  }

  /** Sends a request with room for so many bytes after the answer's header. */
  public Ticket send(Request request, int room) {
    long unique = uniques.addAndGet(2);
    return send(unique, request.encode(unique), Request.HEADER_BYTES + WRITE_IN_BYTES, room);
  }

  private static final int WRITE_IN_BYTES = 40;

  /**
   * Sends any bytes.
   *
   * @param unique what the answer must name
   * @param head how many of the bytes lie before the page where data begin
   */
  public Ticket send(long unique, byte[] request, int head, int room) {
    return sendForAny(unique, request, head, FuseRing.ANSWER_HEADER_BYTES + room);
  }

  /** Sends any bytes with so much room for the answer, its header included. */
  public Ticket sendForAny(long unique, byte[] request, int head, int answerBytes) {
    int slot = ring.claim();
    if (slot == FuseRing.NONE) {
      throw new IllegalStateException("too many requests under way");
    }
    MemorySegment place = ring.request(slot, head, request.length);
    MemorySegment.copy(request, 0, place, ValueLayout.JAVA_BYTE, 0, request.length);
    ring.answer(slot, FuseRing.ANSWER_HEADER_BYTES).fill((byte) 0xee);
    if (!ring.add(slot, request.length, answerBytes)) {
      throw new IllegalStateException("the ring has no room");
    }
    ring.queue().submit();
    var ticket = new Ticket(unique, slot);
    underWay.put(slot, ticket);
    return ticket;
  }

  /** Waits for an answer; others may come first and are kept. */
  public Answer await(Ticket ticket) {
    if (!awaits(ticket, PATIENCE_MS)) {
      throw new PeerFault(
          "request %d is not answered within %d ms".formatted(ticket.unique, PATIENCE_MS));
    }
    return Objects.requireNonNull(answered.remove(ticket));
  }

  /** Whether a request is answered within so many milliseconds; {@link #await} has the answer. */
  public boolean awaits(Ticket ticket, int milliseconds) {
    takeAll();
    while (!answered.containsKey(ticket)) {
      if (!ring.queue().await(milliseconds)) {
        return false;
      }
      takeAll();
    }
    return true;
  }

  private void takeAll() {
    for (int slot = ring.take(); slot != FuseRing.NONE; slot = ring.take()) {
      Ticket ticket = underWay.remove(slot);
      if (ticket == null) {
        throw new AssertionError("slot %d was not under way".formatted(slot));
      }
      answered.put(ticket, read(ticket));
      ring.release(slot);
    }
  }

  private Answer read(Ticket ticket) {
    long used = ring.usedBytes(ticket.slot);
    if (used == 0) {
      return Answer.NONE;
    }
    if (used < FuseRing.ANSWER_HEADER_BYTES) {
      throw new PeerFault("the answer has %d bytes".formatted(used));
    }
    MemorySegment whole = ring.answer(ticket.slot, (int) used);
    int length = whole.get(Wire.LE32, 0);
    int error = whole.get(Wire.LE32, 4);
    long unique = whole.get(Wire.LE64, 8);
    if (length != used || unique != ticket.unique || error > 0) {
      throw new PeerFault(
          "the answer of %d bytes says: %d bytes, error %d, for request %d, not %d"
              .formatted(used, length, error, unique, ticket.unique));
    }
    byte[] body = whole.asSlice(FuseRing.ANSWER_HEADER_BYTES).toArray(ValueLayout.JAVA_BYTE);
    return new Answer(-error, body);
  }
}
