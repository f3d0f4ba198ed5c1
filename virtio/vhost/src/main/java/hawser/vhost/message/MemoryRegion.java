package hawser.vhost.message;

import hawser.base.PeerFault;
import java.nio.ByteBuffer;

/**
 * A piece of guest memory that the front-end shares (vhost-user, "Memory region description"). All
 * values are bytes.
 *
 * @param guestAddress where the guest sees it
 * @param size its length
 * @param userAddress where the front-end has it mapped; ring addresses are given in this space
 * @param mmapOffset where it begins in the file that comes with it
 */
public record MemoryRegion(long guestAddress, long size, long userAddress, long mmapOffset) {
  /** Bytes on the wire. */
  public static final int BYTES = 32;

  /** Reads a region; refuses one that wraps around. */
  public static MemoryRegion read(ByteBuffer in) {
    var region = new MemoryRegion(in.getLong(), in.getLong(), in.getLong(), in.getLong());
    if (region.size <= 0) {
      throw new PeerFault(
          "memory region: size is %s, not 1 to 2^63-1"
              .formatted(Long.toUnsignedString(region.size)));
    }
    region.checkEnd("guest address", region.guestAddress);
    region.checkEnd("user address", region.userAddress);
    region.checkEnd("mmap offset", region.mmapOffset);
    return region;
  }

  private void checkEnd(String field, long start) {
    if (start < 0 || start > Long.MAX_VALUE - size) {
      throw new PeerFault(
          "memory region: %s %#x and size %#x go past 2^63".formatted(field, start, size));
    }
  }

  /** Whether both give the guest the same addresses, in part or in whole. */
  public boolean overlaps(MemoryRegion other) {
    return guestAddress < other.guestAddress + other.size
        && other.guestAddress < guestAddress + size;
  }

  /** Whether REM_MEM_REG with {@code other} means this region: all but the offset must agree. */
  public boolean isSameAs(MemoryRegion other) {
    return guestAddress == other.guestAddress
        && size == other.size
        && userAddress == other.userAddress;
  }

  /** Writes it at the buffer's position. */
  public void write(ByteBuffer out) {
    out.putLong(guestAddress).putLong(size).putLong(userAddress).putLong(mmapOffset);
  }
}
