package hawser.vhost.ring;

import hawser.base.PeerFault;
import hawser.vhost.memory.Iotlb;
import hawser.vhost.memory.MemoryTable;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A virtqueue as the device uses it. Taking chains and asking for kicks belong to one thread, the
 * queue's; giving chains back belongs to one thread at a time.
 *
 * <p>Everything in the ring may be a lie: a {@link PeerFault} names queue, descriptor and value,
 * and the ring is of no use afterwards.
 */
public sealed interface DeviceRing permits SplitRing, PackedRing {
  /** The next chain that the driver made available, or null. */
  @Nullable Chain take();

  /** Whether chains are still to be taken that a predecessor left in its record. */
  boolean hasLeft();

  /** Puts a chain into the used ring, where the driver sees it at once. */
  void give(Chain chain, long written);

  /** Whether the driver wants to be told of what was given since the last such question. */
  boolean wantsCall();

  /** Asks the driver for kicks. True: there is something to take already. */
  boolean enableKicks();

  /** Tells the driver that kicks are not needed, where that can be told. */
  void disableKicks();

  /** The number for GET_VRING_BASE: where a successor goes on. */
  int base();

  /** Uses another table of guest memory for chains taken from now on. */
  void use(MemoryTable memory);

  /**
   * Addresses in chains taken from now on are those of a driver behind an IOMMU, whose translations
   * are waited for; a chain for which that was given up is a fault.
   */
  void use(Iotlb translations, BooleanSupplier stopWaiting);

  /**
   * Whether moving an index from {@code before} to {@code now} passed {@code event} (virtio, "Used
   * Buffer Notification Suppression").
   */
  static boolean passes(int event, int before, int now) {
    return (now - event - 1 & 0xffff) < (now - before & 0xffff);
  }
}
