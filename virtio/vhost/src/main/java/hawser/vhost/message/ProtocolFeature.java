package hawser.vhost.message;

/**
 * The protocol features, by bit (vhost-user, "Protocol features"). What a peer acknowledges proves
 * nothing: QEMU 10 acknowledges every bit below its own highest one.
 */
public enum ProtocolFeature {
  MQ(0),
  LOG_SHMFD(1),
  RARP(2),
  REPLY_ACK(3),
  MTU(4),
  BACKEND_REQ(5),
  CROSS_ENDIAN(6),
  CRYPTO_SESSION(7),
  PAGEFAULT(8),
  CONFIG(9),
  BACKEND_SEND_FD(10),
  HOST_NOTIFIER(11),
  INFLIGHT_SHMFD(12),
  RESET_DEVICE(13),
  INBAND_NOTIFICATIONS(14),
  CONFIGURE_MEM_SLOTS(15),
  STATUS(16),
  XEN_MMAP(17),
  SHARED_OBJECT(18),
  DEVICE_STATE(19),
  GET_VRING_BASE_INFLIGHT(20),
  GPA_ADDRESSES(21),
  SHMEM(22);

  /** The bit in the 64-bit word of GET_PROTOCOL_FEATURES. */
  public final long mask;

  ProtocolFeature(int bit) {
    this.mask = 1L << bit;
  }

  /** Whether the word has this feature. */
  public boolean in(long features) {
    return (features & mask) != 0;
  }

  /** The word of several features. */
  public static long maskOf(ProtocolFeature... features) {
    long word = 0;
    for (ProtocolFeature feature : features) {
      word |= feature.mask;
    }
    return word;
  }
}
