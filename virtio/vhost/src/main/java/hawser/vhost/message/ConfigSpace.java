package hawser.vhost.message;

import hawser.base.PeerFault;
import java.nio.ByteBuffer;

/**
 * A range of a device's configuration space (vhost-user, "Virtio device config space").
 *
 * @param offset of its first byte
 * @param flags {@link #MIGRATION}
 * @param content its bytes, between position and limit; of the wanted length in a question
 */
public record ConfigSpace(int offset, int flags, ByteBuffer content) {
  /** Flag of SET_CONFIG: fields that the driver may not write are set too. */
  public static final int MIGRATION = 1;

  /** Bytes on the wire before the content. */
  public static final int HEADER_BYTES = 12;

  /** Reads a range; what is said of the size must be what came. */
  public static ConfigSpace read(ByteBuffer in) {
    int offset = in.getInt();
    int size = in.getInt();
    int flags = in.getInt();
    if (size < 0 || size != in.remaining()) {
      throw new PeerFault(
          "config space: size is %s, and %d bytes came"
              .formatted(Integer.toUnsignedString(size), in.remaining()));
    }
    if (offset < 0 || offset > MessageLimits.CONFIG_BYTES_MAX - size) {
      throw new PeerFault(
          "config space: offset %s and size %d go past %d"
              .formatted(Integer.toUnsignedString(offset), size, MessageLimits.CONFIG_BYTES_MAX));
    }
    var content = ByteBuffer.allocate(size).put(in).flip();
    return new ConfigSpace(offset, flags, content);
  }

  /** Writes it at the buffer's position. */
  public void write(ByteBuffer out) {
    out.putInt(offset).putInt(content.remaining()).putInt(flags).put(content.duplicate());
  }
}
