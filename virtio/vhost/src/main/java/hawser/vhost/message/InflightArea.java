package hawser.vhost.message;

import java.nio.ByteBuffer;

/**
 * Where the record of requests under way lies (vhost-user, "Inflight description").
 *
 * @param mmapSize bytes of shared memory; 0 while asking for it
 * @param mmapOffset where it begins in the file
 * @param queues how many virtqueues it has records for, up to 65535
 * @param queueSize the size of those virtqueues, in descriptors
 */
public record InflightArea(long mmapSize, long mmapOffset, int queues, int queueSize) {
  /** Bytes on the wire without the padding at the end. */
  public static final int BYTES_MIN = 20;

  /** Bytes on the wire as QEMU sends them and wants them. */
  public static final int BYTES = 24;

  /** Reads a description. */
  public static InflightArea read(ByteBuffer in) {
    return new InflightArea(
        in.getLong(),
        in.getLong(),
        Short.toUnsignedInt(in.getShort()),
        Short.toUnsignedInt(in.getShort()));
  }

  /** Writes it at the buffer's position. */
  public void write(ByteBuffer out) {
    out.putLong(mmapSize).putLong(mmapOffset);
    out.putShort((short) queues).putShort((short) queueSize).putInt(0);
  }
}
