package hawser.vhost.message;

import hawser.base.PeerFault;
import java.nio.ByteBuffer;

/**
 * The 12 bytes before every payload, in the machine's byte order (vhost-user, "Header").
 *
 * @param request number of the request; a reply has that of its request
 * @param flags version in bits 0 and 1, {@link #REPLY}, {@link #NEED_REPLY}
 * @param size bytes of payload that follow
 */
public record Header(int request, int flags, int size) {
  /** Bytes on the wire. */
  public static final int BYTES = 12;

  /** The only version there is. */
  public static final int VERSION = 1;

  /** Flag: this answers a request. */
  public static final int REPLY = 1 << 2;

  /** Flag: the sender wants an answer where the protocol has none. */
  public static final int NEED_REPLY = 1 << 3;

  private static final int VERSION_MASK = 3;

  /** Reads a header at the buffer's position and checks version and size. */
  public static Header read(ByteBuffer in) {
    var header = new Header(in.getInt(), in.getInt(), in.getInt());
    if ((header.flags & VERSION_MASK) != VERSION) {
      throw new PeerFault(
          "message %d: version is %d, not %d"
              .formatted(header.request, header.flags & VERSION_MASK, VERSION));
    }
    if (header.size < 0 || header.size > MessageLimits.PAYLOAD_BYTES_MAX) {
      throw new PeerFault(
          "message %d: size is %s, more than %d"
              .formatted(
                  header.request,
                  Integer.toUnsignedString(header.size),
                  MessageLimits.PAYLOAD_BYTES_MAX));
    }
    return header;
  }

  /** Whether this answers a request. */
  public boolean isReply() {
    return (flags & REPLY) != 0;
  }

  /** Whether the sender wants an answer where the protocol has none. */
  public boolean needsReply() {
    return (flags & NEED_REPLY) != 0;
  }

  /** Writes the header at the buffer's position. */
  public void write(ByteBuffer out) {
    out.putInt(request).putInt(flags).putInt(size);
  }
}
