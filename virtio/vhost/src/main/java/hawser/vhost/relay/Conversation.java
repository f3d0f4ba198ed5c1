package hawser.vhost.relay;

import hawser.base.PeerFault;
import hawser.vhost.connection.Received;
import hawser.vhost.connection.VhostSocket;
import hawser.vhost.message.FrontEndMessage.GetFeatures;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One back-end, for as long as it is there. That it is gone is an answer here, not a fault; so is
 * an answer to something else than it was asked, after which nobody knows what it means.
 */
final class Conversation implements AutoCloseable {
  private final VhostSocket socket;

  /** Takes over a connected descriptor. */
  Conversation(int fd) {
    this.socket = new VhostSocket(fd);
  }

  /** The descriptor, which is readable without a question only when the back-end is gone. */
  int descriptor() {
    return socket.descriptor();
  }

  /** Says what has no answer; false when the back-end is gone. */
  boolean tell(Order order) {
    try {
      order.to(socket, false);
      return true;
    } catch (PeerFault gone) {
      return false;
    }
  }

  /** Says what has an answer, which the caller closes; null when the back-end is gone. */
  @Nullable Received ask(Order order) {
    try {
      order.to(socket, true);
      Received answer = socket.receive();
      if (answer == null) {
        return null;
      }
      if (answer.header().isReply() && answer.header().request() == order.request()) {
        return answer;
      }
      answer.close();
      return null;
    } catch (PeerFault gone) {
      return null;
    }
  }

  /** Says all that another one had been told; true when this one has understood it. */
  boolean repeat(SetUp setUp) {
    List<Order> orders = setUp.orders();
    for (Order each : orders) {
      if (!say(each)) {
        return false;
      }
    }
    // It answers one after the other: by now it has done all of that.
    return say(Order.of(new GetFeatures()));
  }

  private boolean say(Order order) {
    if (!order.isAlwaysAnswered()) {
      return tell(order);
    }
    try (Received answer = ask(order)) {
      return answer != null;
    }
  }

  @Override
  public void close() {
    socket.close();
  }
}
