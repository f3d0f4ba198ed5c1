package hawser.vhost.message;

import hawser.base.PeerFault;
import org.jspecify.annotations.Nullable;

/**
 * What the back-end asks: number, bytes of payload, descriptors (vhost-user, "Back-end message
 * types").
 */
public enum BackEndCode {
  IOTLB_MSG(1, IotlbEntry.BYTES, 0),
  CONFIG_CHANGE_MSG(2, 0, 0),
  VRING_HOST_NOTIFIER_MSG(3, 24, 1),
  VRING_CALL(4, 8, 0),
  VRING_ERR(5, 8, 0),
  SHARED_OBJECT_ADD(6, 16, 0),
  SHARED_OBJECT_REMOVE(7, 16, 0),
  SHARED_OBJECT_LOOKUP(8, 16, 0),
  SHMEM_MAP(9, SharedMapping.BYTES, 1),
  SHMEM_UNMAP(10, SharedMapping.BYTES, 0);

  /** The request's number in the header. */
  public final int number;

  /** Bytes of its payload. */
  public final int payload;

  /** The most descriptors that may come with it. */
  public final int descriptorsMax;

  BackEndCode(int number, int payload, int descriptorsMax) {
    this.number = number;
    this.payload = payload;
    this.descriptorsMax = descriptorsMax;
  }

  /** The request of that number, or null for one that this vocabulary does not have. */
  public static @Nullable BackEndCode of(int number) {
    return number > 0 && number <= values().length ? values()[number - 1] : null;
  }

  /** Checks what came with the header against this request's limits. */
  public void check(int size, int descriptors) {
    if (size != payload || descriptors > descriptorsMax) {
      throw new PeerFault(
          "%s: size %d and %d descriptors, not %d and at most %d"
              .formatted(this, size, descriptors, payload, descriptorsMax));
    }
  }
}
