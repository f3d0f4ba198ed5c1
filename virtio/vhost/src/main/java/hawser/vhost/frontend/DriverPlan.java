package hawser.vhost.frontend;

import hawser.vhost.message.ProtocolFeature;
import hawser.vhost.message.VirtioFeature;

/**
 * What a {@link Driver} wants of a device. Features that the device does not offer are done
 * without.
 *
 * @param features wanted virtio features
 * @param protocol wanted protocol features, of those that the driver knows to use
 * @param queues how many queues to start
 * @param queueSize descriptors of each
 * @param indirectEntries see {@link DriverQueue#create}
 * @param listener answers the back-end's own requests
 */
public record DriverPlan(
    long features,
    long protocol,
    int queues,
    int queueSize,
    int indirectEntries,
    BackEndListener listener) {
  /** All that the driver can use of the protocol. */
  public static final long PROTOCOL_ALL =
      ProtocolFeature.maskOf(
          ProtocolFeature.MQ,
          ProtocolFeature.LOG_SHMFD,
          ProtocolFeature.REPLY_ACK,
          ProtocolFeature.BACKEND_REQ,
          ProtocolFeature.PAGEFAULT,
          ProtocolFeature.BACKEND_SEND_FD,
          ProtocolFeature.CONFIG,
          ProtocolFeature.INFLIGHT_SHMFD,
          ProtocolFeature.RESET_DEVICE,
          ProtocolFeature.CONFIGURE_MEM_SLOTS,
          ProtocolFeature.STATUS,
          ProtocolFeature.SHARED_OBJECT,
          ProtocolFeature.DEVICE_STATE);

  /** Split rings with everything but their own order and packed layout. */
  public static final long SPLIT =
      VirtioFeature.VERSION_1 | VirtioFeature.INDIRECT_DESC | VirtioFeature.EVENT_IDX;

  /** The same with packed rings. */
  public static final long PACKED = SPLIT | VirtioFeature.RING_PACKED;

  /** One queue of 128, indirect tables of up to 8 pieces. */
  public static DriverPlan of(long features) {
    return new DriverPlan(features, PROTOCOL_ALL, 1, 128, 8, BackEndListener.NONE);
  }

  /** The same with other protocol features. */
  public DriverPlan withProtocol(long wanted) {
    return new DriverPlan(features, wanted, queues, queueSize, indirectEntries, listener);
  }

  /** The same with other virtio features. */
  public DriverPlan withFeatures(long wanted) {
    return new DriverPlan(wanted, protocol, queues, queueSize, indirectEntries, listener);
  }

  /** The same with other queues. */
  public DriverPlan withQueues(int count, int size, int tableEntries) {
    return new DriverPlan(features, protocol, count, size, tableEntries, listener);
  }

  /** The same with another listener. */
  public DriverPlan withListener(BackEndListener other) {
    return new DriverPlan(features, protocol, queues, queueSize, indirectEntries, other);
  }
}
