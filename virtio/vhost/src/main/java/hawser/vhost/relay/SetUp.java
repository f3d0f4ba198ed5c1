package hawser.vhost.relay;

import hawser.vhost.message.FrontEndCode;
import hawser.vhost.message.FrontEndCodec;
import hawser.vhost.message.FrontEndMessage.AddMemReg;
import hawser.vhost.message.FrontEndMessage.RemMemReg;
import hawser.vhost.message.FrontEndMessage.SetVringBase;
import hawser.vhost.message.MemoryRegion;
import hawser.vhost.message.ProtocolFeature;
import hawser.vhost.relay.Place.Step;
import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a back-end has been told and still counts: enough to bring another one to the same point.
 * Follows the states of our own {@link hawser.vhost.backend.BackEnd}. Keeps orders with their
 * descriptors, and closes those that others replace. Used by one thread.
 */
final class SetUp implements AutoCloseable {
  /** What a vring forgets when the device is reset; whom to call stays. */
  private static final Set<Step> FORGOTTEN =
      EnumSet.of(Step.SIZE, Step.BASE, Step.ADDRESSES, Step.KICK, Step.ENABLED);

  private final Map<Place, Order> told = new TreeMap<>();
  private long protocol;
  private int regions;

  /** The front-end does not ask for the record of requests under way: it is ours. */
  private boolean ownInflight = true;

  /**
   * Whether a back-end answers an order. Rule and flag decide as a back-end's own session does,
   * also for requests that are not known here.
   */
  boolean isAnswered(Order order) {
    return order.isAlwaysAnswered()
        || (order.needsReply() && ProtocolFeature.REPLY_ACK.in(protocol));
  }

  /** The order as the back-end is to hear it: it always keeps a record of requests under way. */
  Order heard(Order order) {
    if (order.code() == FrontEndCode.GET_INFLIGHT_FD) {
      // That it agreed to the feature says nothing: QEMU 10 does for every device.
      ownInflight = false;
    }
    if (order.code() != FrontEndCode.SET_PROTOCOL_FEATURES || order.payload().remaining() < 8) {
      return order;
    }
    long asked = order.payload().getLong();
    order.close();
    return order.saying(asked | ProtocolFeature.INFLIGHT_SHMFD.mask);
  }

  /** Whether a back-end needs a record of requests under way before it hears this. */
  boolean needsInflight(Order order) {
    return order.code() == FrontEndCode.SET_VRING_KICK && ownInflight && !has(Step.INFLIGHT);
  }

  /** Whether the back-end has been told which protocol features are used. */
  boolean knowsProtocol() {
    return has(Step.PROTOCOL_FEATURES);
  }

  /** The back-end has heard an order and not refused it; the order is ours now. */
  void add(Order order) {
    FrontEndCode code = order.code();
    if (code == null) {
      order.close();
      return;
    }
    switch (code) {
      case SET_OWNER -> put(Step.OWNER, 0, order);
      case SET_FEATURES -> put(Step.FEATURES, 0, order);
      case SET_PROTOCOL_FEATURES -> {
        protocol = order.payload().getLong();
        put(Step.PROTOCOL_FEATURES, 0, order);
      }
      case SET_MEM_TABLE -> {
        forget(EnumSet.of(Step.MEMORY));
        put(Step.MEMORY, regions++, order);
      }
      case ADD_MEM_REG -> put(Step.MEMORY, regions++, order);
      case REM_MEM_REG -> removeRegion(order);
      case SET_LOG_BASE -> put(Step.LOG_BASE, 0, order);
      case SET_LOG_FD -> put(Step.LOG_FD, 0, order);
      case SET_CONFIG -> put(Step.CONFIG, order.payload().getInt(), order);
      case SET_INFLIGHT_FD -> put(Step.INFLIGHT, 0, order);
      case SET_VRING_NUM -> put(Step.SIZE, order);
      case SET_VRING_BASE -> put(Step.BASE, order);
      case SET_VRING_ADDR -> put(Step.ADDRESSES, order);
      case SET_VRING_ENDIAN -> put(Step.ENDIAN, order);
      case SET_VRING_CALL -> put(Step.CALL, order);
      case SET_VRING_ERR -> put(Step.ERROR, order);
      case SET_VRING_KICK -> put(Step.KICK, order);
      case SET_VRING_ENABLE -> put(Step.ENABLED, order);
      case SET_STATUS -> {
        if (order.vring() == 0) {
          // A new back-end has that status, and would forget its vrings if it heard it.
          order.close();
          drop(new Place(Step.STATUS, 0));
          reset();
        } else {
          put(Step.STATUS, 0, order);
        }
      }
      case RESET_DEVICE -> {
        order.close();
        reset();
      }
      case GET_FEATURES,
          RESET_OWNER,
          GET_VRING_BASE,
          GET_PROTOCOL_FEATURES,
          GET_QUEUE_NUM,
          SEND_RARP,
          NET_SET_MTU,
          SET_BACKEND_REQ_FD,
          IOTLB_MSG,
          GET_CONFIG,
          CREATE_CRYPTO_SESSION,
          CLOSE_CRYPTO_SESSION,
          POSTCOPY_ADVISE,
          POSTCOPY_LISTEN,
          POSTCOPY_END,
          GET_INFLIGHT_FD,
          GPU_SET_SOCKET,
          VRING_KICK,
          GET_MAX_MEM_SLOTS,
          GET_STATUS,
          GET_SHARED_OBJECT,
          SET_DEVICE_STATE_FD,
          CHECK_DEVICE_STATE,
          GET_SHMEM_CONFIG ->
          order.close();
    }
  }

  /** A vring has been stopped, and where it goes on, as the back-end has answered. */
  void stopped(ByteBuffer answer) {
    int vring = answer.getInt();
    drop(new Place(Step.KICK, vring));
    put(Step.BASE, vring, Order.of(new SetVringBase(vring, answer.getInt())));
    endInflight();
  }

  /** All of it, in the order in which a new back-end is to hear it. The orders stay ours. */
  List<Order> orders() {
    return List.copyOf(told.values());
  }

  private void reset() {
    forget(FORGOTTEN);
    endInflight();
  }

  /** Stopped rings have nothing under way, and may begin anew in another form and size. */
  private void endInflight() {
    if (ownInflight && !has(Step.KICK)) {
      drop(new Place(Step.INFLIGHT, 0));
    }
  }

  private boolean has(Step step) {
    return told.keySet().stream().anyMatch(place -> place.step() == step);
  }

  private void removeRegion(Order order) {
    MemoryRegion removed = region(order);
    Place same = null;
    for (Map.Entry<Place, Order> each : told.entrySet()) {
      if (each.getValue().code() == FrontEndCode.ADD_MEM_REG
          && region(each.getValue()).isSameAs(removed)) {
        same = each.getKey();
      }
    }
    if (same == null) {
      // It came in a table, which goes on to count but for this.
      put(Step.MEMORY, regions++, order);
    } else {
      drop(same);
      order.close();
    }
  }

  private static MemoryRegion region(Order order) {
    FrontEndCode code = order.code();
    if (code == null) {
      throw new AssertionError("asked of those two only");
    }
    return switch (FrontEndCodec.read(code, order.payload())) {
      case AddMemReg(var region) -> region;
      case RemMemReg(var region) -> region;
      default -> throw new AssertionError("asked of those two only");
    };
  }

  private void put(Step step, Order order) {
    // SET_VRING_KICK and its like have a flag above the number, which is a byte for all of them.
    put(step, order.vring() & 0xff, order);
  }

  private void put(Step step, int which, Order order) {
    close(told.put(new Place(step, which), order));
  }

  private void drop(Place place) {
    close(told.remove(place));
  }

  private void forget(Set<Step> steps) {
    told.entrySet()
        .removeIf(
            each -> {
              boolean goes = steps.contains(each.getKey().step());
              if (goes) {
                each.getValue().close();
              }
              return goes;
            });
  }

  private static void close(@Nullable Order order) {
    if (order != null) {
      order.close();
    }
  }

  @Override
  public void close() {
    told.values().forEach(Order::close);
    told.clear();
  }
}
