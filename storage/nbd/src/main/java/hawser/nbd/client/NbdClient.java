package hawser.nbd.client;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.base.Wire;
import hawser.nbd.Command;
import hawser.nbd.CommandFlags;
import hawser.nbd.ReplyStyle;
import hawser.nbd.transport.Transport;
import hawser.sys.MessageHeader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * One connection to a server, in the transmission phase. Any number of threads may have requests
 * under way at once; whoever waits for an answer receives for all, so that no thread is needed in
 * between and a lone request costs no hand-over.
 */
public final class NbdClient implements AutoCloseable {
  /** Requests under way at a time; more wait. */
  public static final int IN_FLIGHT_MAX = 256;

  private final Transport transport;
  private final ServerInfo server;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment header = arena.allocate(32, 8);
  private final MessageHeader message = new MessageHeader(arena, 2, 0);
  private final Object sending = new Object();
  private final ReplyReader reader;

  // Guarded by this.
  private final @Nullable Exchange[] pending = new Exchange[IN_FLIGHT_MAX];
  private final int[] free = new int[IN_FLIGHT_MAX];
  private int freeCount = IN_FLIGHT_MAX;
  private long serial;
  private boolean receiving;
  private boolean closed;
  private int interrupts;
  private @Nullable PeerFault broken;

  /** Takes over a stream whose handshake has ended. */
  public NbdClient(Transport transport, ServerInfo server) {
    this.transport = transport;
    this.server = server;
    this.reader = new ReplyReader(transport, server, new Table());
    for (int i = 0; i < IN_FLIGHT_MAX; i++) {
      free[i] = IN_FLIGHT_MAX - 1 - i;
    }
  }

  /** What the server said. */
  public ServerInfo server() {
    return server;
  }

  /** Whether the connection is lost. */
  public synchronized boolean isBroken() {
    return broken != null;
  }

  /**
   * Sends a request and waits for its answer.
   *
   * @throws BlockFault what the server refused it with; EIO when the connection was lost
   */
  public void call(Exchange exchange) throws BlockFault {
    submit(exchange);
    await(exchange);
    exchange.orFault();
  }

  /** Sends a request; its answer is read by whoever waits or receives. */
  public void submit(Exchange exchange) {
    if (!register(exchange)) {
      return;
    }
    try {
      send(exchange);
    } catch (PeerFault e) {
      // Whoever receives now, or next, meets the end of the stream and tells everybody. Telling
      // from here could give memory back into which that thread is just writing.
      transport.shutdown();
    }
  }

  private boolean register(Exchange exchange) {
    PeerFault lost;
    synchronized (this) {
      while (freeCount == 0 && broken == null) {
        waitHere();
      }
      lost = broken;
      if (lost == null) {
        int slot = free[--freeCount];
        exchange.cookie = ++serial << 8 | slot;
        pending[slot] = exchange;
      }
    }
    if (lost != null) {
      exchange.lose(lost);
    }
    return lost == null;
  }

  private void send(Exchange exchange) {
    synchronized (sending) {
      boolean extended = server.style() == ReplyStyle.EXTENDED;
      boolean payload = exchange.command == Command.WRITE;
      int flags = exchange.flags | (extended && payload ? CommandFlags.PAYLOAD_LEN : 0);
      header.set(Wire.BE32, 0, server.style().requestMagic());
      header.set(Wire.BE16, 4, (short) flags);
      header.set(Wire.BE16, 6, (short) number(exchange.command));
      header.set(Wire.BE64, 8, exchange.cookie);
      header.set(Wire.BE64, 16, exchange.offset);
      if (extended) {
        header.set(Wire.BE64, 24, exchange.length);
      } else {
        header.set(Wire.BE32, 24, (int) exchange.length);
      }
      message.pieces().clear();
      message.pieces().add(header.address(), server.style().requestBytes());
      if (payload && exchange.length > 0) {
        message.pieces().add(exchange.data);
      }
      transport.send(message);
    }
  }

  private static int number(Command command) {
    return switch (command) {
      case READ -> 0;
      case WRITE -> 1;
      case DISC -> 2;
      case FLUSH -> 3;
      case TRIM -> 4;
      case CACHE -> 5;
      case WRITE_ZEROES -> 6;
      case BLOCK_STATUS -> 7;
      case UNKNOWN -> throw new AssertionError(command);
    };
  }

  /** Waits until an exchange is done; receives for everybody while nobody else does. */
  public void await(Exchange exchange) {
    while (!exchange.isDone()) {
      synchronized (this) {
        if (exchange.isDone()) {
          return;
        }
        if (receiving) {
          waitHere();
          continue;
        }
        receiving = true;
      }
      receiveUntil(exchange);
    }
  }

  private void receiveUntil(Exchange exchange) {
    try {
      while (!exchange.isDone()) {
        reader.readOne();
      }
    } catch (PeerFault e) {
      fail(e);
    } finally {
      synchronized (this) {
        receiving = false;
        notifyAll();
      }
    }
  }

  /**
   * Waits for one answer or a part of one, on this thread alone: for programs that submit with
   * completions and of which no other thread waits here. When the connection is lost, every request
   * under way is told so, and this returns at once from then on.
   */
  public void receive() {
    if (isBroken()) {
      return;
    }
    try {
      reader.readOne();
    } catch (PeerFault e) {
      fail(e);
    }
  }

  /** Whether {@link #receive} need not ask the system for the beginning of an answer. */
  public boolean hasBuffered() {
    return !isBroken() && reader.hasBuffered();
  }

  /** The socket, to be watched for answers; -1 where it cannot be. */
  public int descriptor() {
    return transport.descriptor();
  }

  /** The answer's memory is in use until the answer is here, so an interrupt cannot end this. */
  @SuppressWarnings("WaitNotInLoop") // The callers loop.
  private synchronized void waitHere() {
    try {
      wait();
    } catch (InterruptedException e) {
      interrupts++;
    }
  }

  /** How often a thread was interrupted while it waited, which changes nothing. */
  synchronized int interrupts() {
    return interrupts;
  }

  private void fail(PeerFault why) {
    transport.shutdown();
    for (Exchange lost = takePending(why); lost != null; lost = takePending(why)) {
      lost.lose(why);
    }
    synchronized (this) {
      notifyAll();
    }
  }

  private synchronized @Nullable Exchange takePending(PeerFault why) {
    if (broken == null) {
      broken = why;
    }
    for (int i = 0; i < pending.length; i++) {
      Exchange lost = pending[i];
      if (lost != null) {
        pending[i] = null;
        free[freeCount++] = i;
        return lost;
      }
    }
    return null;
  }

  /** Says goodbye and closes. No request may be under way. */
  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    if (!isBroken()) {
      try {
        send(new Exchange().other(Command.DISC, 0, 0, 0));
      } catch (PeerFault e) {
        transport.shutdown();
      }
    }
    transport.close();
    reader.close();
    arena.close();
  }

  /** The exchanges under way, by cookie. */
  private final class Table implements ReplyReader.Lookup {
    @Override
    public Exchange exchange(long cookie) {
      synchronized (NbdClient.this) {
        Exchange found = pending[(int) cookie & (IN_FLIGHT_MAX - 1)];
        if (found == null || found.cookie != cookie) {
          throw new PeerFault("unexpected cookie value");
        }
        return found;
      }
    }

    @Override
    public void finished(Exchange exchange) {
      synchronized (NbdClient.this) {
        int slot = (int) exchange.cookie & (IN_FLIGHT_MAX - 1);
        pending[slot] = null;
        free[freeCount++] = slot;
        if (freeCount == 1) {
          NbdClient.this.notifyAll();
        }
      }
    }
  }
}
