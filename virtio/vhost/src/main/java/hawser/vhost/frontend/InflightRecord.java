package hawser.vhost.frontend;

import hawser.sys.FileCalls;
import hawser.vhost.message.InflightArea;

/**
 * The record of requests under way that a front-end keeps for its back-end's successor. Owns its
 * descriptor.
 *
 * @param area where it lies in the file
 * @param descriptor the file
 */
public record InflightRecord(InflightArea area, int descriptor) implements AutoCloseable {
  @Override
  public void close() {
    FileCalls.close(descriptor);
  }
}
