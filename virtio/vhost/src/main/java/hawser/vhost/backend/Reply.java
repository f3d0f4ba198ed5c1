package hawser.vhost.backend;

import hawser.vhost.connection.VhostSocket;
import hawser.vhost.message.Descriptors;
import java.nio.ByteBuffer;

/** What a request gets. */
sealed interface Reply {
  /** A reply of its own, with a descriptor or none, which is closed once it is sent. */
  record Payload(ByteBuffer bytes, int descriptor) implements Reply {
    Payload(ByteBuffer bytes) {
      this(bytes, Descriptors.NONE);
    }
  }

  /** Success, or not, told only to a front-end that asks. */
  record Acknowledged(boolean done) implements Reply {}

  Reply DONE = new Acknowledged(true);

  static Reply number(long value) {
    return new Payload(VhostSocket.number(value));
  }
}
