package hawser.vhost.conform;

import hawser.base.BlockFault;
import hawser.vhost.frontend.DriverPlan;
import hawser.vhost.frontend.FrontEnd;
import hawser.vhost.frontend.GuestRam;
import hawser.vhost.message.Descriptors;
import hawser.vhost.message.ProtocolFeature;
import hawser.vhost.message.VirtioFeature;
import java.util.List;
import java.util.UUID;

/** Features that need others, and what back-ends share. For any device. */
final class SharingCases {
  static final List<Case> ALL =
      List.of(
          new Case(
              "features with what they need",
              "a feature is offered only with those that it needs (Protocol features)",
              SharingCases::needs),
          new Case(
              "shared object of nobody",
              "GET_SHARED_OBJECT of an unknown UUID is answered without a descriptor",
              SharingCases::unknownObject),
          new Case(
              "shared memory regions",
              "GET_SHMEM_CONFIG answers sizes of whole pages, 0 for what is not there (SHMEM)",
              SharingCases::sharedMemory));

  private SharingCases() {}

  private static Verdict needs(Subject subject) throws BlockFault {
    long protocol = subject.protocol();
    String missing =
        lacks(protocol, ProtocolFeature.INBAND_NOTIFICATIONS, ProtocolFeature.BACKEND_REQ)
            + lacks(protocol, ProtocolFeature.INBAND_NOTIFICATIONS, ProtocolFeature.REPLY_ACK)
            + lacks(
                protocol, ProtocolFeature.GET_VRING_BASE_INFLIGHT, ProtocolFeature.INFLIGHT_SHMFD)
            + lacks(protocol, ProtocolFeature.SHMEM, ProtocolFeature.BACKEND_REQ)
            + lacks(protocol, ProtocolFeature.HOST_NOTIFIER, ProtocolFeature.BACKEND_SEND_FD);
    if ((subject.features() & VirtioFeature.ACCESS_PLATFORM) != 0) {
      // Else QEMU takes the feature back: misses could not be told, or updates not be awaited.
      boolean both =
          ProtocolFeature.BACKEND_REQ.in(protocol) && ProtocolFeature.REPLY_ACK.in(protocol);
      missing += both ? "" : " ACCESS_PLATFORM without BACKEND_REQ and REPLY_ACK";
    }
    return Verdict.of(missing.isEmpty(), "offered:" + missing);
  }

  private static String lacks(long offered, ProtocolFeature feature, ProtocolFeature needed) {
    boolean alone = feature.in(offered) && !needed.in(offered);
    return alone ? " %s without %s".formatted(feature, needed) : "";
  }

  private static FrontEnd agreed(Subject subject, ProtocolFeature more) throws BlockFault {
    FrontEnd frontEnd = subject.connect();
    boolean done = false;
    try {
      long _ = frontEnd.getFeatures();
      frontEnd.setProtocolFeatures(
          frontEnd.getProtocolFeatures() & (DriverPlan.PROTOCOL_ALL | more.mask));
      frontEnd.setOwner();
      done = true;
      return frontEnd;
    } finally {
      if (!done) {
        frontEnd.close();
      }
    }
  }

  private static Verdict unknownObject(Subject subject) throws BlockFault {
    if (!subject.offers(ProtocolFeature.SHARED_OBJECT)) {
      return new Verdict.NotOffered("SHARED_OBJECT");
    }
    try (FrontEnd frontEnd = agreed(subject, ProtocolFeature.SHARED_OBJECT)) {
      int fd = frontEnd.getSharedObject(new UUID(0x6861777365720000L, 1));
      new Descriptors(fd == Descriptors.NONE ? new int[0] : new int[] {fd}).close();
      return Verdict.of(fd == Descriptors.NONE, "an object that nobody has shared came");
    }
  }

  private static Verdict sharedMemory(Subject subject) throws BlockFault {
    if (!subject.offers(ProtocolFeature.SHMEM)) {
      return new Verdict.NotOffered("SHMEM");
    }
    try (FrontEnd frontEnd = agreed(subject, ProtocolFeature.SHMEM)) {
      int regions = 0;
      for (long size : frontEnd.getShmemConfig()) {
        if (size % GuestRam.PAGE_BYTES != 0) {
          return new Verdict.Fail("a region has %d bytes".formatted(size));
        }
        regions += size == 0 ? 0 : 1;
      }
      return new Verdict.Pass(regions + " regions");
    }
  }
}
