package hawser.vhost.frontend;

/** Bits of the device status word (virtio, "Device Status Field"). */
public final class VirtioStatus {
  /** The guest has seen the device. */
  public static final int ACKNOWLEDGE = 1;

  /** The guest knows how to drive it. */
  public static final int DRIVER = 2;

  /** The driver is ready. */
  public static final int DRIVER_OK = 4;

  /** The features are agreed. */
  public static final int FEATURES_OK = 8;

  /** Something is wrong in the device. */
  public static final int DEVICE_NEEDS_RESET = 64;

  private VirtioStatus() {}
}
