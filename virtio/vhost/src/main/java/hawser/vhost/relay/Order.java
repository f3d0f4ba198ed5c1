package hawser.vhost.relay;

import hawser.vhost.connection.Received;
import hawser.vhost.connection.VhostSocket;
import hawser.vhost.message.Descriptors;
import hawser.vhost.message.FrontEndCode;
import hawser.vhost.message.FrontEndCodec;
import hawser.vhost.message.FrontEndMessage;
import hawser.vhost.message.Header;
import hawser.vhost.message.ReplyRule;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * A request that can be made more than once: it has descriptors of its own, which are closed with
 * it. Closing again does nothing.
 */
final class Order implements AutoCloseable {
  private final Header header;
  private final byte[] payload;
  private int[] descriptors;

  private Order(Header header, byte[] payload, int... descriptors) {
    this.header = header;
    this.payload = payload;
    this.descriptors = descriptors;
  }

  /** What the front-end has sent; its descriptors are the order's from now on. */
  static Order of(Received message) {
    byte[] payload = new byte[message.payload().remaining()];
    message.payload().get(payload);
    Descriptors from = message.descriptors();
    int[] taken = new int[from.count()];
    for (int i = 0; i < taken.length; i++) {
      taken[i] = from.takeOrNone();
    }
    return new Order(message.header(), payload, taken);
  }

  /** A request of our own, which is answered only if it always is. */
  static Order of(FrontEndMessage message, int... descriptors) {
    ByteBuffer out = VhostSocket.payload();
    FrontEndCodec.write(message, out);
    byte[] payload = new byte[out.flip().remaining()];
    out.get(payload);
    int number = FrontEndCodec.code(message).number;
    return new Order(new Header(number, Header.VERSION, payload.length), payload, descriptors);
  }

  /** The request, or null for one that nobody here knows. */
  @Nullable FrontEndCode code() {
    return FrontEndCode.of(header.request());
  }

  int request() {
    return header.request();
  }

  boolean needsReply() {
    return header.needsReply();
  }

  /** Whether it has an answer that nobody needs to ask for. */
  boolean isAlwaysAnswered() {
    FrontEndCode code = code();
    return code != null && code.reply != ReplyRule.WHEN_ASKED;
  }

  /** The payload in the machine's byte order. */
  ByteBuffer payload() {
    return ByteBuffer.wrap(payload).order(ByteOrder.nativeOrder());
  }

  /** The first number of the payload: of most requests the vring's, or all that they say. */
  int vring() {
    return payload().getInt();
  }

  /** The same, to be answered as the header says, with other 64 bits in the payload. */
  Order saying(long number) {
    byte[] other = new byte[Long.BYTES];
    ByteBuffer.wrap(other).order(ByteOrder.nativeOrder()).putLong(number);
    return new Order(header, other);
  }

  /**
   * Sends it.
   *
   * @param answered whether an acknowledgement is asked for as the front-end did
   */
  void to(VhostSocket socket, boolean answered) {
    int flags = answered ? header.flags() & Header.NEED_REPLY : 0;
    socket.send(header.request(), flags, payload(), descriptors);
  }

  @Override
  public void close() {
    new Descriptors(descriptors).close();
    descriptors = new int[0];
  }
}
