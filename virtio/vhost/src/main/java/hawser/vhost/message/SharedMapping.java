package hawser.vhost.message;

import java.nio.ByteBuffer;

/**
 * A part of a file in a shared memory region of the device (vhost-user, "MMAP request").
 *
 * @param region id of the shared memory region
 * @param fileOffset where it begins in the file, bytes
 * @param regionOffset where it begins in the region, bytes
 * @param length bytes
 * @param flags {@link #WRITABLE}
 */
public record SharedMapping(
    int region, long fileOffset, long regionOffset, long length, long flags) {
  /** Flag: the guest may write. */
  public static final long WRITABLE = 1;

  /** Bytes on the wire. */
  public static final int BYTES = 40;

  /** Reads a mapping. */
  public static SharedMapping read(ByteBuffer in) {
    int region = Byte.toUnsignedInt(in.get());
    in.position(in.position() + 7);
    return new SharedMapping(region, in.getLong(), in.getLong(), in.getLong(), in.getLong());
  }

  /** Writes it at the buffer's position. */
  public void write(ByteBuffer out) {
    out.put((byte) region).put(new byte[7]);
    out.putLong(fileOffset).putLong(regionOffset).putLong(length).putLong(flags);
  }
}
