package hawser.vhost.conform;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.vhost.frontend.BackEndListener;
import hawser.vhost.frontend.FrontEnd;
import hawser.vhost.frontend.VirtioStatus;
import hawser.vhost.message.FrontEndMessage.SetOwner;
import hawser.vhost.message.ProtocolFeature;
import hawser.vhost.message.VirtioFeature;
import java.util.List;

/** Agreeing on features, and requests that need no ring. */
final class NegotiationCases {
  static final List<Case> ALL =
      List.of(
          new Case(
              "features before owner",
              "GET_FEATURES is answered before SET_OWNER: QEMU's first request",
              subject -> Verdict.of(subject.features() != 0, "GET_FEATURES: 0")),
          new Case(
              "virtio 1",
              "a device that is not legacy offers VIRTIO_F_VERSION_1 (virtio, Reserved Feature Bits)",
              subject ->
                  Verdict.of(
                      (subject.features() & VirtioFeature.VERSION_1) != 0, "bit 32 is not set")),
          new Case(
              "protocol features first",
              "GET_ and SET_PROTOCOL_FEATURES come before SET_FEATURES too (Protocol features)",
              NegotiationCases::protocolFirst),
          new Case(
              "protocol features after",
              "protocol features may be agreed after SET_FEATURES too (Protocol features)",
              NegotiationCases::protocolAfter),
          new Case(
              "features stay",
              "a second front-end is offered what the first was: a guest has only one chance",
              NegotiationCases::featuresStay),
          new Case(
              "acknowledgement",
              "with REPLY_ACK a request with need_reply is answered by 0 (REPLY_ACK)",
              NegotiationCases::acknowledgement),
          new Case(
              "no answer unasked",
              "a request without need_reply gets no acknowledgement (Communication)",
              NegotiationCases::unasked),
          new Case(
              "queue number",
              "with MQ, GET_QUEUE_NUM says 1 or more (Multiple queue support)",
              NegotiationCases::queueNumber),
          new Case(
              "memory slots",
              "GET_MAX_MEM_SLOTS is 1 or more and stays (CONFIGURE_MEM_SLOTS)",
              NegotiationCases::memorySlots),
          new Case(
              "configuration",
              "the answer to GET_CONFIG has the size of the request (GET_CONFIG)",
              NegotiationCases::configuration),
          new Case(
              "configuration offset",
              "GET_CONFIG with an offset answers the bytes from there on (GET_CONFIG)",
              NegotiationCases::configurationOffset),
          new Case(
              "back-end channel",
              "SET_BACKEND_REQ_FD is accepted, and losing that channel is survived",
              NegotiationCases::channel),
          new Case(
              "status",
              "GET_STATUS answers what SET_STATUS set; 0 resets (STATUS)",
              NegotiationCases::status),
          new Case(
              "reset without rings",
              "RESET_DEVICE is accepted before anything is started: QEMU sends it at every reset",
              NegotiationCases::reset));

  private NegotiationCases() {}

  private static Verdict protocolFirst(Subject subject) throws BlockFault {
    try (FrontEnd frontEnd = subject.connect()) {
      long features = frontEnd.getFeatures();
      if ((features & VirtioFeature.PROTOCOL_FEATURES) == 0) {
        return new Verdict.NotOffered("PROTOCOL_FEATURES");
      }
      frontEnd.setProtocolFeatures(frontEnd.getProtocolFeatures() & safe());
      frontEnd.setOwner();
      frontEnd.setFeatures(VirtioFeature.VERSION_1 | VirtioFeature.PROTOCOL_FEATURES);
      return Verdict.of(frontEnd.getFeatures() == features, "GET_FEATURES changed");
    }
  }

  private static Verdict protocolAfter(Subject subject) throws BlockFault {
    try (FrontEnd frontEnd = subject.connect()) {
      long features = frontEnd.getFeatures();
      if ((features & VirtioFeature.PROTOCOL_FEATURES) == 0) {
        return new Verdict.NotOffered("PROTOCOL_FEATURES");
      }
      frontEnd.setOwner();
      frontEnd.setFeatures(VirtioFeature.VERSION_1 | VirtioFeature.PROTOCOL_FEATURES);
      frontEnd.setProtocolFeatures(frontEnd.getProtocolFeatures() & safe());
      return Verdict.of(frontEnd.getFeatures() == features, "GET_FEATURES changed");
    }
  }

  private static long safe() {
    return hawser.vhost.frontend.DriverPlan.PROTOCOL_ALL;
  }

  private static Verdict featuresStay(Subject subject) throws BlockFault {
    long features = subject.features();
    long protocol = subject.protocol();
    boolean same = subject.features() == features && subject.protocol() == protocol;
    return Verdict.of(same, "the second front-end was offered other features");
  }

  private static Verdict acknowledgement(Subject subject) throws BlockFault {
    if (!subject.offers(ProtocolFeature.REPLY_ACK)) {
      return new Verdict.NotOffered("REPLY_ACK");
    }
    try (FrontEnd frontEnd = subject.connect()) {
      long _ = frontEnd.getFeatures();
      frontEnd.setProtocolFeatures(frontEnd.getProtocolFeatures() & safe());
      // Throws unless the answer is 0.
      frontEnd.order(new SetOwner());
      return Verdict.PASS;
    }
  }

  private static Verdict unasked(Subject subject) throws BlockFault {
    try (FrontEnd frontEnd = subject.connect()) {
      long features = frontEnd.getFeatures();
      if ((features & VirtioFeature.PROTOCOL_FEATURES) != 0) {
        frontEnd.setProtocolFeatures(frontEnd.getProtocolFeatures() & safe());
      }
      frontEnd.acknowledge(false);
      frontEnd.setOwner();
      return Verdict.of(frontEnd.getFeatures() == features, "GET_FEATURES changed");
    }
  }

  private static Verdict queueNumber(Subject subject) throws BlockFault {
    if (!subject.offers(ProtocolFeature.MQ)) {
      return new Verdict.NotOffered("MQ");
    }
    try (FrontEnd frontEnd = agreed(subject)) {
      long queues = frontEnd.getQueueNum();
      return queues > 0 ? new Verdict.Pass(queues + " queues") : new Verdict.Fail("0 queues");
    }
  }

  private static FrontEnd agreed(Subject subject) throws BlockFault {
    FrontEnd frontEnd = subject.connect();
    boolean done = false;
    try {
      long _ = frontEnd.getFeatures();
      frontEnd.setProtocolFeatures(frontEnd.getProtocolFeatures() & safe());
      frontEnd.setOwner();
      done = true;
      return frontEnd;
    } finally {
      if (!done) {
        frontEnd.close();
      }
    }
  }

  private static Verdict memorySlots(Subject subject) throws BlockFault {
    if (!subject.offers(ProtocolFeature.CONFIGURE_MEM_SLOTS)) {
      return new Verdict.NotOffered("CONFIGURE_MEM_SLOTS");
    }
    long first;
    try (FrontEnd frontEnd = agreed(subject)) {
      first = frontEnd.getMaxMemSlots();
    }
    try (FrontEnd frontEnd = agreed(subject)) {
      long second = frontEnd.getMaxMemSlots();
      return first > 0 && second >= first
          ? new Verdict.Pass(first + " slots")
          : new Verdict.Fail("%d slots, then %d".formatted(first, second));
    }
  }

  private static Verdict configuration(Subject subject) throws BlockFault {
    if (!subject.offers(ProtocolFeature.CONFIG)) {
      return new Verdict.NotOffered("CONFIG");
    }
    try (FrontEnd frontEnd = agreed(subject)) {
      int bytes = frontEnd.getConfig(0, 8).length + frontEnd.getConfig(0, 4).length;
      return Verdict.of(bytes == 12, "%d bytes, not 12".formatted(bytes));
    }
  }

  private static Verdict configurationOffset(Subject subject) throws BlockFault {
    if (!subject.offers(ProtocolFeature.CONFIG)) {
      return new Verdict.NotOffered("CONFIG");
    }
    try (FrontEnd frontEnd = agreed(subject)) {
      byte[] whole = frontEnd.getConfig(0, 8);
      for (int at = 1; at < whole.length; at++) {
        byte[] one = frontEnd.getConfig(at, 1);
        if (one[0] != whole[at]) {
          return new Verdict.Fail("byte %d is %d, and was %d".formatted(at, one[0], whole[at]));
        }
      }
      return Verdict.PASS;
    }
  }

  private static Verdict channel(Subject subject) throws BlockFault {
    if (!subject.offers(ProtocolFeature.BACKEND_REQ)) {
      return new Verdict.NotOffered("BACKEND_REQ");
    }
    try (FrontEnd frontEnd = agreed(subject)) {
      frontEnd.setBackendReqFd(BackEndListener.NONE);
      // The second one replaces the first, whose other end is closed.
      frontEnd.setBackendReqFd(BackEndListener.NONE);
      PeerFault fault = frontEnd.channelFault();
      return Verdict.of(fault == null && frontEnd.getFeatures() != 0, "channel: " + fault);
    }
  }

  private static Verdict status(Subject subject) throws BlockFault {
    if (!subject.offers(ProtocolFeature.STATUS)) {
      return new Verdict.NotOffered("STATUS");
    }
    try (FrontEnd frontEnd = agreed(subject)) {
      int begun = VirtioStatus.ACKNOWLEDGE | VirtioStatus.DRIVER;
      frontEnd.setStatus(begun);
      long found = frontEnd.getStatus();
      frontEnd.setStatus(0);
      long reset = frontEnd.getStatus();
      return Verdict.of(
          found == begun && reset == 0, "status is %#x, then %#x".formatted(found, reset));
    }
  }

  private static Verdict reset(Subject subject) throws BlockFault {
    if (!subject.offers(ProtocolFeature.RESET_DEVICE)) {
      return new Verdict.NotOffered("RESET_DEVICE");
    }
    try (FrontEnd frontEnd = agreed(subject)) {
      frontEnd.resetDevice();
      return Verdict.of(frontEnd.getFeatures() != 0, "no features after that");
    }
  }
}
