package hawser.vhost.backend;

import hawser.base.PeerFault;
import hawser.vhost.connection.Received;
import hawser.vhost.connection.VhostSocket;
import hawser.vhost.message.BackEndCodec;
import hawser.vhost.message.BackEndMessage;
import hawser.vhost.message.Header;
import java.nio.ByteBuffer;
import java.util.function.Function;

/**
 * The second connection, on which the back-end asks and the front-end answers (vhost-user,
 * "Back-end communication"). One request at a time; safe from any thread.
 */
final class BackEndChannel implements AutoCloseable {
  private final VhostSocket socket;
  private final boolean acknowledged;

  /** Takes over a connected descriptor. {@code acknowledged}: whether REPLY_ACK was agreed. */
  BackEndChannel(int fd, boolean acknowledged) {
    this.socket = new VhostSocket(fd);
    this.acknowledged = acknowledged;
  }

  /**
   * Asks; where answers are agreed, waits for it.
   *
   * @return whether the front-end did it, as far as can be known
   */
  synchronized boolean ask(BackEndMessage message, int... descriptors) {
    send(message, acknowledged ? Header.NEED_REPLY : 0, descriptors);
    return !acknowledged || answer(message, answer -> answer.payload().getLong() == 0);
  }

  /** Asks what is answered always, by a descriptor if there is one. */
  synchronized int askForDescriptor(BackEndMessage message) {
    send(message, Header.NEED_REPLY);
    return answer(message, answer -> answer.descriptors().takeOrNone());
  }

  /** Says something that is not to be answered. */
  void tell(BackEndMessage message) {
    send(message, 0);
  }

  private void send(BackEndMessage message, int flags, int... descriptors) {
    ByteBuffer payload = VhostSocket.payload();
    BackEndCodec.write(message, payload);
    socket.send(BackEndCodec.code(message).number, flags, payload.flip(), descriptors);
  }

  private <T> T answer(BackEndMessage message, Function<Received, T> reading) {
    int number = BackEndCodec.code(message).number;
    try (Received answer = socket.receive()) {
      if (answer == null) {
        throw new PeerFault("the front-end closed the back-end's channel");
      }
      if (answer.header().request() != number || answer.payload().remaining() < 8) {
        throw new PeerFault(
            "answer on the back-end's channel is to %d, not %d"
                .formatted(answer.header().request(), number));
      }
      return reading.apply(answer);
    }
  }

  /** Wakes whoever waits for an answer. */
  void shutdown() {
    socket.shutdown();
  }

  @Override
  public void close() {
    socket.close();
  }
}
