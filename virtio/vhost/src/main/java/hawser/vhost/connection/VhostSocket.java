package hawser.vhost.connection;

import hawser.base.PeerFault;
import hawser.sys.FileCalls;
import hawser.sys.MessageHeader;
import hawser.sys.Result;
import hawser.sys.SocketCalls;
import hawser.vhost.message.Descriptors;
import hawser.vhost.message.Header;
import hawser.vhost.message.MessageLimits;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * A connected unix stream socket with vhost-user messages on it. One thread receives; any thread
 * sends, and messages go out whole, one after the other.
 */
public final class VhostSocket implements AutoCloseable {
  private static final int EOF = 0;

  private final int fd;
  private final MemorySegment incoming =
      Arena.ofAuto().allocate(Header.BYTES + MessageLimits.PAYLOAD_BYTES_MAX, 8);
  private final MessageHeader receiving =
      new MessageHeader(Arena.ofAuto(), 1, SocketCalls.DESCRIPTORS_MAX);
  private boolean closed;

  /** Takes over a connected descriptor. */
  public VhostSocket(int fd) {
    this.fd = fd;
  }

  /** The descriptor, for polling. */
  public int descriptor() {
    return fd;
  }

  /**
   * Waits for the next message; null when the peer has closed the connection between two.
   *
   * @throws PeerFault when it closed in the middle of one, or the header breaks a limit
   */
  public @Nullable Received receive() {
    int[] fds = receive(0, Header.BYTES, true);
    if (fds == null) {
      return null;
    }
    var descriptors = new Descriptors(fds);
    boolean whole = false;
    try {
      Header header = Header.read(buffer(0, Header.BYTES));
      if (header.size() > 0) {
        int[] strays = receive(Header.BYTES, header.size(), false);
        new Descriptors(strays == null ? new int[0] : strays).close();
      }
      if (fds.length > MessageLimits.DESCRIPTORS_MAX) {
        throw new PeerFault(
            "message %d: %d descriptors came with it, more than %d"
                .formatted(header.request(), fds.length, MessageLimits.DESCRIPTORS_MAX));
      }
      whole = true;
      return new Received(header, buffer(Header.BYTES, header.size()), descriptors);
    } finally {
      if (!whole) {
        descriptors.close();
      }
    }
  }

  private ByteBuffer buffer(int from, int bytes) {
    return incoming.asSlice(from, bytes).asByteBuffer().order(ByteOrder.nativeOrder());
  }

  /** Fills a part of the buffer; answers the descriptors that came, null at the end. */
  private int @Nullable [] receive(int from, int bytes, boolean mayEnd) {
    int[] fds = {};
    int done = 0;
    while (done < bytes) {
      receiving.pieces().clear();
      receiving.pieces().add(incoming.asSlice(from + done, bytes - done));
      receiving.expectDescriptors();
      long count = SocketCalls.receiveMessage(fd, receiving, 0);
      if (count <= EOF) {
        new Descriptors(fds).close();
        if (count == EOF && done == 0 && mayEnd) {
          return null;
        }
        throw new PeerFault(
            count == EOF
                ? "connection closed after %d of %d bytes".formatted(done, bytes)
                : "cannot receive: " + Result.errno(count).text());
      }
      fds = joined(fds, receiving.received());
      done += (int) count;
    }
    return fds;
  }

  private static int[] joined(int[] some, int[] more) {
    if (some.length + more.length > SocketCalls.DESCRIPTORS_MAX) {
      new Descriptors(more).close();
      return some;
    }
    int[] all = java.util.Arrays.copyOf(some, some.length + more.length);
    System.arraycopy(more, 0, all, some.length, more.length);
    return all;
  }

  /** Sends a message; the descriptors stay the caller's. */
  public synchronized void send(int request, int flags, ByteBuffer payload, int... descriptors) {
    if (closed) {
      throw new PeerFault("connection is closed");
    }
    try (var arena = Arena.ofConfined()) {
      int size = payload.remaining();
      MemorySegment whole = arena.allocate(Header.BYTES + size, 8);
      ByteBuffer out = whole.asByteBuffer().order(ByteOrder.nativeOrder());
      new Header(request, Header.VERSION | flags, size).write(out);
      out.put(payload.duplicate());
      var message = new MessageHeader(arena, 1, Math.max(1, descriptors.length));
      message.pieces().add(whole);
      message.attach(descriptors);
      while (message.pieces().count() > 0) {
        long count = SocketCalls.sendMessage(fd, message);
        if (Result.failed(count)) {
          throw new PeerFault("cannot send: " + Result.errno(count).text());
        }
        message.pieces().consume(count);
        message.attach();
      }
    }
  }

  /** A payload to be filled and flipped, in the machine's byte order. */
  public static ByteBuffer payload() {
    return ByteBuffer.allocate(MessageLimits.PAYLOAD_BYTES_MAX).order(ByteOrder.nativeOrder());
  }

  /** The payload of most replies. */
  public static ByteBuffer number(long value) {
    return ByteBuffer.allocate(8).order(ByteOrder.nativeOrder()).putLong(value).flip();
  }

  /** Ends both directions; a thread that waits in {@link #receive} returns. */
  public synchronized void shutdown() {
    if (!closed) {
      SocketCalls.shutdown(fd, SocketCalls.SHUT_RDWR);
    }
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      FileCalls.close(fd);
    }
  }
}
