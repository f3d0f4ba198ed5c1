package hawser.vhost.backend;

import java.nio.ByteBuffer;

/**
 * A virtio device. It says what it is and serves chains of buffers; rings, guest memory, migration
 * and crash recovery are taken care of around it. A device that implements {@link SavesState} too
 * migrates with its internal state.
 *
 * <p>One device outlives many front-ends, one after the other. Its methods are called by one
 * thread, the connection's; its {@link QueueHandler}s are called by their queues' threads.
 */
public interface Device extends AutoCloseable {
  /** The device's number in the virtio specification ("Device Types"): 2 for a block device. */
  int virtioId();

  /** The device's name for threads and messages: {@code blk}. */
  String name();

  /** Feature bits of its own, as a mask; those of rings and of vhost-user are added to them. */
  long features();

  /** How many virtqueues it has, 1 to 256. */
  int queues();

  /**
   * The configuration space as the driver sees it, little endian, at most 256 bytes; empty where
   * there is none or where the front-end has it.
   */
  default ByteBuffer config() {
    return ByteBuffer.allocate(0);
  }

  /**
   * The driver writes to the configuration space.
   *
   * @return false when that is not for the driver to write
   */
  default boolean configure(int offset, ByteBuffer content) {
    return false;
  }

  /** The features, the device's own and others, that front-end and driver agreed to. */
  default void agreed(long features) {}

  /** A front-end is there; what the device has to tell it goes through {@code host}. */
  default void attach(DeviceHost host) {}

  /**
   * A virtqueue begins to work. Chains come from its own thread until the handler is closed.
   *
   * @throws hawser.base.PeerFault when the device has not what it needs for that; the front-end is
   *     refused and may come again
   */
  QueueHandler open(int queue);

  /**
   * The last vring that worked has been stopped by GET_VRING_BASE (vhost-user, "Ring states":
   * suspended), which is answered after this: the guest may go on elsewhere from then on.
   */
  default void suspended() {}

  /**
   * Whether its queues let go of chains that wait when they are stopped for good, so that a guest
   * that migrates need not wait for them (vhost-user, "VHOST_USER_PROTOCOL_F_GET_VRING_BASE_
   * INFLIGHT"); see {@link QueueHandler#suspending}.
   */
  default boolean suspendsRequests() {
    return false;
  }

  /**
   * Whether it may be put behind an IOMMU: it reaches guest memory by its chains only
   * (VIRTIO_F_ACCESS_PLATFORM).
   */
  default boolean behindIommu() {
    return false;
  }

  /** The driver starts anew: forget everything that it said. No queue works meanwhile. */
  default void reset() {}

  @Override
  void close();
}
