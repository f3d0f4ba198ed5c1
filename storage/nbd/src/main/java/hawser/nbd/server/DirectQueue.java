package hawser.nbd.server;

import hawser.base.Errno;
import hawser.base.PeerFault;
import hawser.block.BlockNode;
import hawser.block.DirectFile;
import hawser.block.Limits;
import hawser.nbd.Command;
import hawser.nbd.transport.Transport;
import hawser.sys.Result;
import hawser.sys.Uring;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Requests of one connection that the kernel works on by itself: aligned reads and writes of a file
 * past the page cache. The receiving thread waits in one place for the next request and for
 * finished ones, so that the client's depth reaches the disk without a thread for each. Belongs to
 * the connection's thread.
 */
final class DirectQueue implements AutoCloseable {
  private static final long RECEIVE = -1;
  private static final long NOTHING_YET = Long.MIN_VALUE;

  private final Uring ring;
  private final DirectFile file;
  private final Limits limits;
  private final Transport transport;
  private final ReplySender sender;
  private final Workers workers;
  private final Slot[] underWay;
  private int count;
  private boolean receiving;
  private long received = NOTHING_YET;

  private DirectQueue(
      Uring ring,
      DirectFile file,
      Transport transport,
      ReplySender sender,
      Workers workers,
      int most) {
    this.ring = ring;
    this.file = file;
    this.limits = file.limits();
    this.transport = transport;
    this.sender = sender;
    this.workers = workers;
    this.underWay = new Slot[most];
  }

  /**
   * A queue, or null where the node is not a file past the page cache or the kernel has no ring.
   */
  static @Nullable DirectQueue open(
      Transport transport, BlockNode node, ReplySender sender, Workers workers, int most) {
    DirectFile file = node.directFile();
    if (file == null || transport.descriptor() < 0) {
      return null;
    }
    Optional<Uring> ring = Uring.open(most + 1);
    return ring.isEmpty()
        ? null
        : new DirectQueue(ring.get(), file, transport, sender, workers, most);
  }

  /** Whether the kernel takes such a request as it is. */
  boolean takes(long offset, long length) {
    return ((offset | length) & (limits.alignment() - 1)) == 0 && length > 0;
  }

  /** Starts a read or write that {@link #takes} allows; workers get it where it cannot be. */
  void start(Slot slot) {
    MemorySegment data = slot.data();
    if (slot.command == Command.WRITE) {
      slot.writeNumber = file.beginWrite(slot.offset, slot.length);
      if (slot.writeNumber == 0) {
        workers.execute(slot);
        return;
      }
    }
    if (ring.full()) {
      submit(0);
    }
    if (slot.command == Command.WRITE) {
      int how = file.writeFlags(NodeCalls.writeFlags(slot.flags));
      ring.write(file.descriptor(), data, slot.offset, how, slot.index);
    } else {
      ring.read(file.descriptor(), data, slot.offset, slot.index);
    }
    underWay[slot.index] = slot;
    count++;
  }

  /** As {@link Transport#receive}, finishing requests meanwhile. */
  long receive(MemorySegment into) {
    if (!receiving) {
      if (ring.full()) {
        submit(0);
      }
      ring.receive(transport.descriptor(), into, RECEIVE);
      receiving = true;
    }
    while (received == NOTHING_YET) {
      finishSome();
    }
    long result = received;
    received = NOTHING_YET;
    if (Result.failed(result)) {
      throw new PeerFault("cannot receive: " + Result.errno(result).text());
    }
    return result;
  }

  /** How many requests the kernel works on. */
  int count() {
    return count;
  }

  /** Waits for at least one completion and sends the replies of all that are there. */
  void finishSome() {
    reap();
    sender.sendHeld();
  }

  private void reap() {
    submit(1);
    while (ring.next()) {
      if (ring.tag() == RECEIVE) {
        receiving = false;
        received = ring.result();
      } else {
        finish((int) ring.tag(), ring.result());
      }
    }
  }

  private void finish(int index, int result) {
    Slot slot = underWay[index];
    count--;
    if (slot.command == Command.WRITE) {
      file.endWrite(slot.writeNumber);
    }
    if (result == slot.length) {
      slot.reply();
      sender.hold(slot);
    } else {
      // Short at the end of the file, or failed: the node finds out which and has the words for it.
      workers.execute(slot);
    }
  }

  private void submit(int waitFor) {
    long result = ring.submit(waitFor);
    if (Result.failed(result)) {
      Errno errno = Result.errno(result);
      if (errno != Errno.EAGAIN && errno != Errno.EBUSY) {
        throw new AssertionError("io_uring_enter: " + errno);
      }
    }
  }

  /** Returns when the kernel uses none of this connection's memory any more. */
  @Override
  public void close() {
    if (receiving) {
      transport.shutdown();
    }
    while (count > 0 || receiving) {
      reap();
    }
    ring.close();
    sender.sendHeld();
  }
}
