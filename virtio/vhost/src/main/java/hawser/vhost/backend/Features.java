package hawser.vhost.backend;

import hawser.base.PeerFault;
import hawser.vhost.memory.MissingPages;
import hawser.vhost.message.ProtocolFeature;
import hawser.vhost.message.VirtioFeature;

/** What a back-end offers for a device. */
final class Features {
  private Features() {}

  static long virtio(Device device, BackEndOptions options) {
    return device.features()
        | VirtioFeature.LOG_ALL
        | VirtioFeature.INDIRECT_DESC
        | VirtioFeature.EVENT_IDX
        | VirtioFeature.PROTOCOL_FEATURES
        | VirtioFeature.VERSION_1
        | VirtioFeature.RING_PACKED
        | (device.behindIommu() ? VirtioFeature.ACCESS_PLATFORM : 0)
        | (options.inOrder() ? VirtioFeature.IN_ORDER : 0);
  }

  /**
   * Only what the device has a use for: QEMU acknowledges in-band notifications and Xen mappings
   * without doing either, so what is not meant must not be offered.
   */
  static long protocol(Device device, BackEndOptions options) {
    long offered =
        ProtocolFeature.maskOf(
            ProtocolFeature.MQ,
            ProtocolFeature.LOG_SHMFD,
            ProtocolFeature.REPLY_ACK,
            ProtocolFeature.BACKEND_REQ,
            ProtocolFeature.BACKEND_SEND_FD,
            ProtocolFeature.INFLIGHT_SHMFD,
            ProtocolFeature.RESET_DEVICE,
            ProtocolFeature.CONFIGURE_MEM_SLOTS,
            ProtocolFeature.STATUS,
            ProtocolFeature.GPA_ADDRESSES);
    if (device.config().hasRemaining()) {
      offered |= ProtocolFeature.CONFIG.mask;
    }
    if (device instanceof SavesState) {
      offered |= ProtocolFeature.DEVICE_STATE.mask;
    }
    if (mayGoByPostcopy(device) && MissingPages.possible()) {
      offered |= ProtocolFeature.PAGEFAULT.mask;
    }
    if (device instanceof SharesMemory) {
      offered |= ProtocolFeature.SHMEM.mask;
    }
    if (device instanceof SharesObjects) {
      offered |= ProtocolFeature.SHARED_OBJECT.mask;
    }
    if (device.suspendsRequests()) {
      offered |= ProtocolFeature.GET_VRING_BASE_INFLIGHT.mask;
    }
    if (options.inBand()) {
      offered |= ProtocolFeature.INBAND_NOTIFICATIONS.mask;
    }
    return offered;
  }

  private static boolean mayGoByPostcopy(Device device) {
    return !(device instanceof SavesState state) || state.sureToLoad();
  }

  /** Refuses protocol features that were not offered, or that need others (vhost-user). */
  static void checkProtocol(long asked, long offered) {
    check("SET_PROTOCOL_FEATURES", asked, offered);
    if (ProtocolFeature.INBAND_NOTIFICATIONS.in(asked)) {
      require(asked, "INBAND_NOTIFICATIONS", ProtocolFeature.BACKEND_REQ);
      require(asked, "INBAND_NOTIFICATIONS", ProtocolFeature.REPLY_ACK);
    }
    if (ProtocolFeature.GET_VRING_BASE_INFLIGHT.in(asked)) {
      require(asked, "GET_VRING_BASE_INFLIGHT", ProtocolFeature.INFLIGHT_SHMFD);
    }
  }

  private static void require(long asked, String feature, ProtocolFeature other) {
    if (!other.in(asked)) {
      throw new PeerFault("SET_PROTOCOL_FEATURES: %s without %s".formatted(feature, other));
    }
  }

  /** Refuses what was not offered. */
  static void check(String request, long asked, long offered) {
    if ((asked & ~offered) != 0) {
      throw new PeerFault(
          "%s: %#x was not offered; %#x was".formatted(request, asked & ~offered, offered));
    }
  }
}
