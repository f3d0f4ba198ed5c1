package hawser.qmp;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import hawser.base.PeerFault;
import hawser.sys.FileCalls;
import hawser.sys.MessageHeader;
import hawser.sys.Result;
import hawser.sys.SocketCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** A connected unix socket with text on it. One thread receives; any thread sends. */
final class QmpSocket {
  private static final int BUFFER_BYTES = 64 << 10;

  private final int fd;
  private final MemorySegment buffer = Arena.ofAuto().allocate(BUFFER_BYTES);

  /** Guards {@code closed}, also while a send waits. */
  private final Object state = new Object();

  private boolean closed;

  QmpSocket(int fd) {
    this.fd = fd;
  }

  /** Waits for more; empty when the peer has ended the connection. Valid until the next call. */
  Optional<ByteBuffer> receive() {
    long count = SocketCalls.recv(fd, buffer, 0);
    if (Result.failed(count)) {
      throw new PeerFault("cannot receive: " + Result.errno(count).text());
    }
    return count == 0 ? Optional.empty() : Optional.of(buffer.asSlice(0, count).asByteBuffer());
  }

  /** Sends a whole text; the descriptors go with its first byte and stay the caller's. */
  synchronized void send(String text, int... descriptors) {
    if (isClosed()) {
      throw new PeerFault("connection is closed");
    }
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    try (var arena = Arena.ofConfined()) {
      var message = new MessageHeader(arena, 1, Math.max(1, descriptors.length));
      message.pieces().add(arena.allocateFrom(JAVA_BYTE, bytes));
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

  private boolean isClosed() {
    synchronized (state) {
      return closed;
    }
  }

  /** Ends both directions: who waits in {@link #receive} or {@link #send} returns. */
  void shutdown() {
    synchronized (state) {
      if (!closed) {
        SocketCalls.shutdown(fd, SocketCalls.SHUT_RDWR);
      }
    }
  }

  /** Gives the descriptor back. For the receiving thread, when it has ended. */
  synchronized void close() {
    synchronized (state) {
      if (!closed) {
        closed = true;
        FileCalls.close(fd);
      }
    }
  }
}
