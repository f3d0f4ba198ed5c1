package hawser.vhost.conform;

import hawser.base.BlockFault;
import hawser.vhost.frontend.BackEndListener;
import hawser.vhost.frontend.BlkDriver;
import hawser.vhost.frontend.Driver;
import hawser.vhost.frontend.DriverPlan;
import hawser.vhost.frontend.GuestRam;
import hawser.vhost.message.BackEndMessage;
import hawser.vhost.message.IotlbEntry;
import hawser.vhost.message.ProtocolFeature;
import hawser.vhost.message.VirtioFeature;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Addresses that are not the front-end's own, of a disk. Only reads. */
final class AddressCases {
  private static final int BYTES = 64 << 10;

  static final List<Case> ALL =
      List.of(
          new Case(
              "translations",
              "behind an IOMMU a device asks for what it misses and goes on (IOMMU support)",
              AddressCases::translations),
          new Case(
              "translations taken back",
              "what was invalidated is asked for again before it is used (IOMMU support)",
              AddressCases::invalidated),
          new Case(
              "guest addresses",
              "with GPA_ADDRESSES rings are told of by guest addresses (GPA_ADDRESSES)",
              AddressCases::guestAddresses));

  private AddressCases() {}

  /** The first bytes of the disk, by a driver of that kind. */
  static byte[] read(Subject subject, DriverPlan plan) throws BlockFault {
    try (GuestRam ram = GuestRam.of(Subject.RAM_BYTES);
        Driver driver = subject.start(ram, plan)) {
      return BlkDriver.of(driver, 0, BYTES).read(0, BYTES);
    }
  }

  private static Verdict same(byte[] found, byte[] expected) {
    return Verdict.of(Arrays.equals(found, expected), "a read gave other bytes");
  }

  /** Behind an IOMMU; counts what is asked for. */
  private static DriverPlan behindIommu(AtomicInteger misses) {
    return RingCases.PLAN
        .withFeatures(RingCases.PLAN.features() | VirtioFeature.ACCESS_PLATFORM)
        .withListener(
            (message, _) -> {
              if (message instanceof BackEndMessage.IotlbMsg(IotlbEntry entry)
                  && entry.type() == IotlbEntry.Type.MISS) {
                misses.incrementAndGet();
              }
              return BackEndListener.Answer.OK;
            });
  }

  private static Verdict translations(Subject subject) throws BlockFault {
    if ((subject.features() & VirtioFeature.ACCESS_PLATFORM) == 0) {
      return new Verdict.NotOffered("ACCESS_PLATFORM");
    }
    byte[] expected = read(subject, RingCases.PLAN);
    var misses = new AtomicInteger();
    byte[] found = read(subject, behindIommu(misses));
    return misses.get() == 0
        ? new Verdict.Fail("no translation was asked for")
        : same(found, expected);
  }

  private static Verdict invalidated(Subject subject) throws BlockFault {
    if ((subject.features() & VirtioFeature.ACCESS_PLATFORM) == 0) {
      return new Verdict.NotOffered("ACCESS_PLATFORM");
    }
    var misses = new AtomicInteger();
    try (GuestRam ram = GuestRam.of(Subject.RAM_BYTES);
        Driver driver = subject.start(ram, behindIommu(misses))) {
      BlkDriver disk = BlkDriver.of(driver, 0, BYTES);
      byte[] before = disk.read(0, BYTES);
      driver.invalidate(0, Subject.RAM_BYTES);
      int known = misses.get();
      byte[] after = disk.read(0, BYTES);
      return misses.get() == known
          ? new Verdict.Fail("what was taken back was not asked for again")
          : same(after, before);
    }
  }

  private static Verdict guestAddresses(Subject subject) throws BlockFault {
    if (!subject.offers(ProtocolFeature.GPA_ADDRESSES)) {
      return new Verdict.NotOffered("GPA_ADDRESSES");
    }
    DriverPlan plan =
        RingCases.PLAN.withProtocol(DriverPlan.PROTOCOL_ALL | ProtocolFeature.GPA_ADDRESSES.mask);
    return same(read(subject, plan), read(subject, RingCases.PLAN));
  }
}
