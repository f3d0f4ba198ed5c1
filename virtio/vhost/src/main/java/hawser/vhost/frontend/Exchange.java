package hawser.vhost.frontend;

import hawser.base.PeerFault;
import hawser.sys.Result;
import hawser.sys.SocketCalls;
import hawser.vhost.connection.Received;
import hawser.vhost.connection.VhostSocket;
import hawser.vhost.message.FrontEndCode;
import hawser.vhost.message.FrontEndCodec;
import hawser.vhost.message.FrontEndMessage;
import hawser.vhost.message.Header;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.function.Function;

/** One request after the other on a connection, each with the answer that it has. */
final class Exchange implements AutoCloseable {
  private final VhostSocket socket;
  private final int patience;
  private boolean acknowledged;

  Exchange(VhostSocket socket, Duration patience) {
    this.socket = socket;
    this.patience = (int) Math.min(Integer.MAX_VALUE, patience.toMillis());
    // The first byte has a deadline of its own below; this one is for a peer that stops within.
    SocketCalls.setReceiveTimeout(socket.descriptor(), this.patience);
  }

  /** Asks for an acknowledgement of every request from now on that has no answer of its own. */
  synchronized void acknowledge(boolean wanted) {
    acknowledged = wanted;
  }

  /** A request without an answer of its own: sent, and acknowledged if that is agreed. */
  synchronized void order(FrontEndMessage message, int... descriptors) {
    FrontEndCode code = FrontEndCodec.code(message);
    send(message, acknowledged ? Header.NEED_REPLY : 0, descriptors);
    if (acknowledged) {
      long answer = answer(code, Exchange::number);
      if (answer != 0) {
        throw new PeerFault(
            "%s: the back-end answers %s, not 0".formatted(code, Long.toUnsignedString(answer)));
      }
    }
  }

  /** A request without any answer. */
  synchronized void tell(FrontEndMessage message, int... descriptors) {
    send(message, 0, descriptors);
  }

  /** A request whose answer is one number. */
  long number(FrontEndMessage message, int... descriptors) {
    return ask(message, Exchange::number, descriptors);
  }

  /** A request with an answer of its own; descriptors that {@code reading} leaves are closed. */
  synchronized <T> T ask(
      FrontEndMessage message, Function<Received, T> reading, int... descriptors) {
    send(message, 0, descriptors);
    return answer(FrontEndCodec.code(message), reading);
  }

  private void send(FrontEndMessage message, int flags, int... descriptors) {
    ByteBuffer payload = VhostSocket.payload();
    FrontEndCodec.write(message, payload);
    socket.send(FrontEndCodec.code(message).number, flags, payload.flip(), descriptors);
  }

  private <T> T answer(FrontEndCode code, Function<Received, T> reading) {
    long ready = SocketCalls.poll(socket.descriptor(), SocketCalls.POLLIN, patience);
    if (ready <= 0) {
      throw new PeerFault(
          ready == 0
              ? "%s: no answer within %d ms".formatted(code, patience)
              : "%s: cannot wait: %s".formatted(code, Result.errno(ready).text()));
    }
    try (Received answer = socket.receive()) {
      if (answer == null) {
        throw new PeerFault(code + ": the back-end closed the connection");
      }
      Header header = answer.header();
      if (header.request() != code.number || !header.isReply()) {
        throw new PeerFault(
            "%s: the answer is of request %d with flags %#x"
                .formatted(code, header.request(), header.flags()));
      }
      return reading.apply(answer);
    }
  }

  static long number(Received answer) {
    return sized(answer, Long.BYTES).getLong();
  }

  /** The payload, which must have so many bytes. */
  static ByteBuffer sized(Received answer, int bytes) {
    if (answer.payload().remaining() != bytes) {
      throw new PeerFault(
          "%s: the answer has %d bytes, not %d"
              .formatted(
                  FrontEndCode.of(answer.header().request()), answer.payload().remaining(), bytes));
    }
    return answer.payload();
  }

  void shutdown() {
    socket.shutdown();
  }

  @Override
  public void close() {
    socket.close();
  }
}
