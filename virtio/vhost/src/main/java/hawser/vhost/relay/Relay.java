package hawser.vhost.relay;

import hawser.base.PeerFault;
import hawser.sys.SocketCalls;
import hawser.vhost.connection.Received;
import hawser.vhost.connection.VhostSocket;
import hawser.vhost.message.Descriptors;
import hawser.vhost.message.FrontEndCode;
import hawser.vhost.message.FrontEndMessage.GetInflightFd;
import hawser.vhost.message.FrontEndMessage.GetQueueNum;
import hawser.vhost.message.FrontEndMessage.MemoryServed;
import hawser.vhost.message.FrontEndMessage.SetInflightFd;
import hawser.vhost.message.FrontEndMessage.SetProtocolFeatures;
import hawser.vhost.message.Header;
import hawser.vhost.message.InflightArea;
import hawser.vhost.message.ProtocolFeature;
import hawser.vhost.message.VirtioFeature;
import hawser.vhost.ring.RingLayout;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Stands between a front-end and the processes that are its back-end, one after the other, so that
 * the front-end never notices that one has died. Requests pass message by message; what a new
 * back-end must have been told is kept and said again, and a request whose answer a death has
 * swallowed is made again. Data never comes here: guest memory and the descriptors of kicks and
 * calls are the back-end's and the guest's.
 *
 * <p>A back-end must keep a record of requests under way (vhost-user, "Inflight I/O tracking"), for
 * its successor goes on with that. Where the front-end does not ask for one, the relay does and
 * keeps the memory; a new record is begun whenever the first vring is started.
 *
 * <p>Everything happens on the thread that calls {@link #run}.
 */
public final class Relay {
  /** QEMU's answer to SET_DEVICE_STATE_FD: no descriptor comes back, and it was refused. */
  private static final long STATE_REFUSED = 1 << 8 | 1;

  /** Where the next back-end comes from. */
  public interface Successors {
    /**
     * The present back-end is gone: waits for the next one and answers a connected socket, which
     * becomes the relay's, or {@link Descriptors#NONE} if there is to be none.
     */
    int next();

    /** The one from {@link #next} has been told everything, and works. */
    void served();
  }

  /**
   * What is not offered, whatever the back-end can. Memory that comes late is promised to one
   * process, and a successor would not get it. What a back-end asks for, and calls in band, have
   * answers, and one that was on its way to a process which died would be its successor's answer to
   * something else.
   */
  private static final long WITHHELD_PROTOCOL =
      ProtocolFeature.maskOf(
          ProtocolFeature.PAGEFAULT,
          ProtocolFeature.BACKEND_REQ,
          ProtocolFeature.BACKEND_SEND_FD,
          ProtocolFeature.INBAND_NOTIFICATIONS,
          ProtocolFeature.HOST_NOTIFIER,
          ProtocolFeature.SHARED_OBJECT,
          ProtocolFeature.SHMEM);

  /** Behind an IOMMU a back-end would have to ask for addresses. */
  private static final long WITHHELD = VirtioFeature.ACCESS_PLATFORM;

  private final VhostSocket frontEnd;
  private final Successors successors;
  private final SetUp setUp = new SetUp();
  private Conversation backEnd;

  /** Takes over two connected sockets. */
  public Relay(int frontEnd, int backEnd, Successors successors) {
    this.frontEnd = new VhostSocket(frontEnd);
    this.backEnd = new Conversation(backEnd);
    this.successors = successors;
  }

  /**
   * Passes requests and answers on until one side is gone for good; both sockets are closed then.
   *
   * @return true when the front-end has left, false when there is no back-end any more
   * @throws PeerFault when the front-end breaks the protocol
   */
  public boolean run() {
    try (frontEnd;
        setUp) {
      while (true) {
        if (SocketCalls.pollEither(backEnd.descriptor(), frontEnd.descriptor()) == 0) {
          if (!succeeded()) {
            return false;
          }
          continue;
        }
        try (Received message = frontEnd.receive()) {
          if (message == null) {
            return true;
          }
          FrontEndCode code = FrontEndCode.of(message.header().request());
          if (code != null) {
            code.check(message.header().size(), message.descriptors().count());
          }
          if (!forwarded(Order.of(message))) {
            return false;
          }
        }
      }
    } finally {
      backEnd.close();
    }
  }

  /** False when there is no back-end any more. */
  private boolean forwarded(Order said) {
    Order order = said;
    boolean kept = false;
    try {
      checkOffered(said);
      order = setUp.heard(said);
      if (setUp.needsInflight(order) && !recordShared()) {
        return false;
      }
      if (!setUp.isAnswered(order)) {
        while (!backEnd.tell(order)) {
          if (!succeeded()) {
            return false;
          }
        }
        setUp.add(order);
        kept = true;
        return true;
      }
      try (Received answer = answer(order)) {
        if (answer == null) {
          return false;
        }
        kept = understood(order, answer);
        pass(answer);
        return true;
      }
    } finally {
      if (!kept) {
        order.close();
      }
    }
  }

  /** Our own back-end would agree, for it has offered more than the front-end was told. */
  private static void checkOffered(Order said) {
    FrontEndCode code = said.code();
    if (code == FrontEndCode.SET_FEATURES || code == FrontEndCode.SET_PROTOCOL_FEATURES) {
      long withheld = said.payload().getLong() & withheld(code);
      if (withheld != 0) {
        throw new PeerFault("%s: %#x was not offered".formatted(code, withheld));
      }
    }
    if (code == FrontEndCode.SET_BACKEND_REQ_FD) {
      throw new PeerFault("SET_BACKEND_REQ_FD: BACKEND_REQ was not offered");
    }
    if ((code == FrontEndCode.ADD_MEM_REG || code == FrontEndCode.REM_MEM_REG)
        && said.payload().remaining() == MemoryServed.BYTES) {
      throw new PeerFault("%s: no region, and postcopy was not offered".formatted(code));
    }
  }

  private static long withheld(@Nullable FrontEndCode code) {
    return switch (code) {
      case GET_FEATURES, SET_FEATURES -> WITHHELD;
      case GET_PROTOCOL_FEATURES, SET_PROTOCOL_FEATURES -> WITHHELD_PROTOCOL;
      case null, default -> 0;
    };
  }

  /** Keeps what the order means for a successor; false if the back-end has refused it. */
  private boolean understood(Order order, Received answer) {
    FrontEndCode code = order.code();
    if (code == FrontEndCode.GET_VRING_BASE && answer.payload().remaining() == 2 * Integer.BYTES) {
      setUp.stopped(answer.payload().duplicate().order(answer.payload().order()));
    }
    boolean number = answer.payload().remaining() == Long.BYTES;
    if (!order.isAlwaysAnswered() && number && first(answer) != 0) {
      return false;
    }
    setUp.add(order);
    return true;
  }

  private static long first(Received answer) {
    return answer.payload().getLong(answer.payload().position());
  }

  private void pass(Received answer) {
    int[] with = new int[answer.descriptors().count()];
    for (int i = 0; i < with.length; i++) {
      with[i] = answer.descriptors().takeOrNone();
    }
    try (var _ = new Descriptors(with)) {
      ByteBuffer payload = answer.payload();
      long withheld = withheld(FrontEndCode.of(answer.header().request()));
      if (withheld != 0 && payload.remaining() == Long.BYTES) {
        payload = VhostSocket.number(first(answer) & ~withheld);
      }
      frontEnd.send(answer.header().request(), Header.REPLY, payload, with);
    }
  }

  /** An answer, whoever gives it in the end; null when there is no back-end any more. */
  private @Nullable Received answer(Order order) {
    while (true) {
      Received answer = backEnd.ask(order);
      if (answer != null) {
        return answer;
      }
      if (!succeeded()) {
        return null;
      }
      if (order.code() == FrontEndCode.SET_DEVICE_STATE_FD) {
        // Part of a state may be on its way already, and a whole one behind it makes no sense.
        return refusal(order);
      }
    }
  }

  private static Received refusal(Order order) {
    var header = new Header(order.request(), Header.VERSION | Header.REPLY, Long.BYTES);
    return new Received(header, VhostSocket.number(STATE_REFUSED), new Descriptors());
  }

  /** Gives the back-end a new record of requests under way. */
  private boolean recordShared() {
    if (!setUp.knowsProtocol() && !forwarded(Order.of(new SetProtocolFeatures(0)))) {
      return false;
    }
    int queues;
    try (Received answer = answer(Order.of(new GetQueueNum()))) {
      if (answer == null) {
        return false;
      }
      queues = (int) first(answer);
    }
    var wanted = new InflightArea(0, 0, queues, RingLayout.SIZE_MAX);
    try (Received answer = answer(Order.of(new GetInflightFd(wanted)))) {
      if (answer == null) {
        return false;
      }
      InflightArea area = InflightArea.read(answer.payload());
      int memory = answer.descriptors().take("the answer to GET_INFLIGHT_FD");
      return forwarded(Order.of(new SetInflightFd(area), memory));
    }
  }

  /** Brings a new back-end to where the present one, which is gone, was. */
  private boolean succeeded() {
    do {
      backEnd.close();
      int next = successors.next();
      if (next == Descriptors.NONE) {
        return false;
      }
      backEnd = new Conversation(next);
    } while (!backEnd.repeat(setUp));
    successors.served();
    return true;
  }
}
