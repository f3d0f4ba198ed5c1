package hawser.vhost.frontend;

import hawser.vhost.message.VirtioFeature;
import hawser.vhost.ring.RingLayout;

/**
 * Where a ring lies in guest memory.
 *
 * @param size descriptors
 * @param descriptors guest address of the descriptor table, or of the packed ring
 * @param available guest address of the available ring, or of the driver's event suppression
 * @param used guest address of the used ring, or of the device's event suppression
 */
public record RingMemory(int size, long descriptors, long available, long used) {
  /** Every part begins a cache line, so that the sides do not disturb each other. */
  private static final int LINE_BYTES = 64;

  /** Takes memory for a ring of the layout that the features say. */
  public static RingMemory allocate(GuestRam ram, int size, long features) {
    boolean packed = (features & VirtioFeature.RING_PACKED) != 0;
    long driver = packed ? RingLayout.SUPPRESSION_BYTES : RingLayout.availableBytes(size);
    long device = packed ? RingLayout.SUPPRESSION_BYTES : RingLayout.usedBytes(size);
    return new RingMemory(
        size,
        ram.allocate(RingLayout.descriptorBytes(size), LINE_BYTES),
        ram.allocate(driver, LINE_BYTES),
        ram.allocate(device, LINE_BYTES));
  }
}
