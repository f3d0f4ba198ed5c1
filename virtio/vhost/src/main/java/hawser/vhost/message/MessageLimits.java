package hawser.vhost.message;

/** What a message may carry at most; checked before anything is read or allocated. */
public final class MessageLimits {
  /** Payload of any message, in bytes: twice the longest there is, room for later ones. */
  public static final int PAYLOAD_BYTES_MAX = 4096;

  /** Descriptors of any message; SET_MEM_TABLE has the most. */
  public static final int DESCRIPTORS_MAX = 8;

  /** Memory regions of one SET_MEM_TABLE (vhost-user, "Memory regions description"). */
  public static final int TABLE_REGIONS_MAX = 8;

  /** Bytes of one GET_CONFIG or SET_CONFIG (QEMU's VHOST_USER_MAX_CONFIG_SIZE). */
  public static final int CONFIG_BYTES_MAX = 256;

  /** Shared memory regions of one device: their ids are bytes. */
  public static final int SHARED_MEMORY_REGIONS_MAX = 256;

  private MessageLimits() {}
}
