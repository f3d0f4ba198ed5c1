package hawser.testkit.fuse;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * A request that is put together field by field, in little endian. Names are bytes, written as
 * characters of Latin-1.
 */
public final class Request {
  /** Bytes of struct fuse_in_header. */
  public static final int HEADER_BYTES = 40;

  private final int opcode;
  private final long node;
  private final ByteArrayOutputStream arguments = new ByteArrayOutputStream();
  private Caller caller = Caller.ROOT;
  private int extraLength;
  private int extensionUnits;

  /** A request about an inode, without arguments yet. */
  public Request(int opcode, long node) {
    this.opcode = opcode;
    this.node = node;
  }

  /** In somebody's name. */
  public Request as(Caller who) {
    caller = who;
    return this;
  }

  /** Makes the header say so many bytes more than there are. */
  public Request lying(int bytes) {
    extraLength = bytes;
    return this;
  }

  /** Says that the last so many units of 8 bytes are extensions. */
  public Request extensions(int units) {
    extensionUnits = units;
    return this;
  }

  /** 64 bits. */
  public Request u64(long value) {
    return bytes(buffer(8).putLong(value).array());
  }

  /** 32 bits. */
  public Request u32(int value) {
    return bytes(buffer(4).putInt(value).array());
  }

  /** Bytes as they are. */
  public Request bytes(byte[] content) {
    arguments.writeBytes(content);
    return this;
  }

  /** A name and its NUL. */
  public Request name(String name) {
    bytes(name.getBytes(StandardCharsets.ISO_8859_1));
    arguments.write(0);
    return this;
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** All of it, with the number by which the answer names it. */
  byte[] encode(long unique) {
    int length = HEADER_BYTES + arguments.size();
    return buffer(length)
        .putInt(length + extraLength)
        .putInt(opcode)
        .putLong(unique)
        .putLong(node)
        .putInt(caller.uid())
        .putInt(caller.gid())
        .putInt(caller.pid())
        .putShort((short) extensionUnits)
        .putShort((short) 0)
        .put(arguments.toByteArray())
        .array();
  }
}
