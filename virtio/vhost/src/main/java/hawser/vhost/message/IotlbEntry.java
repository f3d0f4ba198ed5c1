package hawser.vhost.message;

import hawser.base.PeerFault;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A translation of addresses behind an IOMMU, asked for, given or taken back (vhost-user, "IOTLB
 * message").
 *
 * @param iova the address that the device uses
 * @param size bytes of the range
 * @param userAddress where the front-end has it mapped
 * @param permission {@link #READ}, {@link #WRITE}
 * @param type what the message says
 */
public record IotlbEntry(long iova, long size, long userAddress, int permission, Type type) {
  /** What an IOTLB message says. */
  public enum Type {
    MISS(1),
    UPDATE(2),
    INVALIDATE(3),
    ACCESS_FAIL(4);

    final int number;

    Type(int number) {
      this.number = number;
    }

    private static @Nullable Type of(int number) {
      for (Type type : values()) {
        if (type.number == number) {
          return type;
        }
      }
      return null;
    }
  }

  /** Permission: the device may read. */
  public static final int READ = 1;

  /** Permission: the device may write. */
  public static final int WRITE = 2;

  /** Bytes on the wire without the padding. */
  public static final int BYTES_MIN = 26;

  /** Bytes on the wire as QEMU sends them. */
  public static final int BYTES = 32;

  /** Reads an entry. */
  public static IotlbEntry read(ByteBuffer in) {
    long iova = in.getLong();
    long size = in.getLong();
    long userAddress = in.getLong();
    int permission = in.get();
    int number = in.get();
    Type type = Type.of(number);
    if (type == null) {
      throw new PeerFault("IOTLB message: type is %d, not 1 to 4".formatted(number));
    }
    return new IotlbEntry(iova, size, userAddress, permission, type);
  }

  /** Whether it has an address in common with a range. */
  public boolean overlaps(long start, long bytes) {
    return Long.compareUnsigned(start, last(iova, size)) <= 0
        && Long.compareUnsigned(last(start, bytes), iova) >= 0;
  }

  /** The last address of a range; one of 0 bytes goes to the end of all addresses. */
  public static long last(long start, long bytes) {
    long last = start + bytes - 1;
    return bytes == 0 || Long.compareUnsigned(last, start) < 0 ? -1 : last;
  }

  /** Writes it at the buffer's position. */
  public void write(ByteBuffer out) {
    out.putLong(iova).putLong(size).putLong(userAddress);
    out.put((byte) permission).put((byte) type.number).putShort((short) 0).putInt(0);
  }
}
