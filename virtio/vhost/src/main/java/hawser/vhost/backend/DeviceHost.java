package hawser.vhost.backend;

import hawser.vhost.message.Descriptors;
import hawser.vhost.message.SharedMapping;
import java.util.UUID;

/**
 * What a device may ask of the front-end it is attached to. Safe from any thread but the
 * connection's, whose front-end may answer nothing meanwhile. Everything but {@link #configChanged}
 * waits for the answer, and says whether the front-end did it; one that did not agree to the
 * feature does not.
 */
public interface DeviceHost {
  /** The configuration space has changed: the driver is told to look at it again. */
  void configChanged();

  /**
   * Makes a part of a file appear in a region of {@link SharesMemory}, until {@link #unmap} or a
   * reset. The descriptor stays the caller's.
   *
   * @throws IllegalArgumentException when it is outside its region or overlaps another mapping
   */
  default boolean map(SharedMapping mapping, int descriptor) {
    return false;
  }

  /**
   * Takes a mapping away, as a whole.
   *
   * @throws IllegalArgumentException when it is not mapped
   */
  default boolean unmap(SharedMapping mapping) {
    return false;
  }

  /** Lets other devices of the guest know of an object of {@link SharesObjects}. */
  default boolean addSharedObject(UUID uuid) {
    return false;
  }

  /** Takes an object back. */
  default boolean removeSharedObject(UUID uuid) {
    return false;
  }

  /** The descriptor of another device's object, the caller's, or {@link Descriptors#NONE}. */
  default int lookUpSharedObject(UUID uuid) {
    return Descriptors.NONE;
  }
}
