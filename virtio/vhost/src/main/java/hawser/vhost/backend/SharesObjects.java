package hawser.vhost.backend;

import java.util.UUID;

/**
 * A device whose objects, such as frames, other devices of the same guest may use (vhost-user,
 * "VHOST_USER_GET_SHARED_OBJECT"). It announces them by {@link DeviceHost#addSharedObject}.
 */
public interface SharesObjects {
  /**
   * A new descriptor of an object, which the caller closes, or {@link
   * hawser.vhost.message.Descriptors#NONE}. Called on the connection's thread.
   */
  int sharedObject(UUID uuid);
}
