package hawser.vhost.connection;

import hawser.vhost.message.Descriptors;
import hawser.vhost.message.Header;
import java.nio.ByteBuffer;

/**
 * A message as it came.
 *
 * @param header its header, checked
 * @param payload its payload in the machine's byte order; valid until the next message
 * @param descriptors what came with its first byte; closing the message closes what nobody took
 */
public record Received(Header header, ByteBuffer payload, Descriptors descriptors)
    implements AutoCloseable {
  @Override
  public void close() {
    descriptors.close();
  }
}
