package hawser.vhost.message;

/**
 * The virtio feature bits that are not one device's own, as masks of the 64-bit word (virtio 1.3,
 * "Reserved Feature Bits", and vhost-user's two).
 */
public final class VirtioFeature {
  /** The front-end wants every page that is written marked in the log (vhost-user). */
  public static final long LOG_ALL = 1L << 26;

  /** Descriptors may point to a table of descriptors. */
  public static final long INDIRECT_DESC = 1L << 28;

  /** Each side says from which index on it wants to be notified. */
  public static final long EVENT_IDX = 1L << 29;

  /** Protocol features exist, and rings begin disabled (vhost-user). */
  public static final long PROTOCOL_FEATURES = 1L << 30;

  /** Not a legacy device: little endian, and the layout of virtio 1. */
  public static final long VERSION_1 = 1L << 32;

  /** Addresses are translated by an IOMMU. */
  public static final long ACCESS_PLATFORM = 1L << 33;

  /** Rings have the packed layout. */
  public static final long RING_PACKED = 1L << 34;

  /** Buffers are used in the order in which they were made available. */
  public static final long IN_ORDER = 1L << 35;

  private VirtioFeature() {}
}
