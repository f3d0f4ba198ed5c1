package hawser.vhost.conform;

import hawser.base.BlockFault;
import hawser.vhost.frontend.BlkDriver;
import hawser.vhost.frontend.BlkQueue;
import hawser.vhost.frontend.BlkType;
import hawser.vhost.frontend.Driver;
import hawser.vhost.frontend.DriverPlan;
import hawser.vhost.frontend.GuestRam;
import hawser.vhost.message.ProtocolFeature;
import hawser.vhost.message.VirtioFeature;
import java.util.Arrays;
import java.util.List;

/** Rings of a disk: their layouts and their states. Only reads. */
final class RingCases {
  static final DriverPlan PLAN = DriverPlan.of(DriverPlan.SPLIT | BlkDriver.F_ALL);
  private static final int QUIET_MS = 200;
  private static final int BYTES = 4096;

  static final List<Case> ALL =
      List.of(
          layout("split ring", 0),
          layout("indirect descriptors", VirtioFeature.INDIRECT_DESC),
          layout("event index", VirtioFeature.EVENT_IDX),
          layout("packed ring", VirtioFeature.RING_PACKED),
          layout(
              "packed, indirect, event index",
              VirtioFeature.RING_PACKED | VirtioFeature.INDIRECT_DESC | VirtioFeature.EVENT_IDX),
          layout("in order", VirtioFeature.IN_ORDER),
          new Case(
              "base counts",
              "GET_VRING_BASE answers how many buffers were taken, modulo 65536 (split)",
              RingCases::baseCounts),
          new Case(
              "stop and go on",
              "a ring goes on where GET_VRING_BASE said (Ring states)",
              RingCases::stopAndGoOn),
          new Case(
              "suspended",
              "with all rings stopped nothing is written to guest memory, kicked or not",
              RingCases::suspended),
          new Case(
              "disabled ring",
              "a disk serves nothing from a ring that is disabled, and all of it once enabled",
              RingCases::disabled),
          new Case(
              "started without a kick",
              "a ring starts with SET_VRING_KICK: what is there is served unkicked (text of 11.1)",
              RingCases::unkicked),
          new Case(
              "memory slots in use",
              "a region that is added while rings work can be used at once (ADD_MEM_REG)",
              RingCases::addedRegion),
          new Case(
              "reset in use",
              "after RESET_DEVICE a driver starts from nothing (RESET_DEVICE)",
              RingCases::resetInUse));

  private RingCases() {}

  private static Case layout(String name, long features) {
    return new Case(
        name,
        "many requests at once are served by %s (virtio, Virtqueues)".formatted(name),
        subject -> reads(subject, features));
  }

  private static Verdict reads(Subject subject, long features) throws BlockFault {
    if ((subject.features() & features) != features) {
      return new Verdict.NotOffered("%#x".formatted(features & ~subject.features()));
    }
    long wanted = features | VirtioFeature.VERSION_1 | BlkDriver.F_ALL;
    DriverPlan plan = PLAN.withFeatures(wanted).withQueues(1, 16, 4);
    try (GuestRam ram = GuestRam.of(Subject.RAM_BYTES);
        Driver driver = subject.start(ram, plan)) {
      var queue = new BlkQueue(driver.queue(0), ram, 4, 2 * BYTES, BYTES);
      for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 4; i++) {
          boolean _ = queue.add(queue.claim(), BlkType.IN, 8L * i, 0, 2 * BYTES);
        }
        queue.queue().submit();
        Verdict verdict = takeAll(queue, 4, subject);
        if (verdict instanceof Verdict.Fail) {
          return verdict;
        }
      }
      return Verdict.PASS;
    }
  }

  /** Waits for so many answers, all of which must be good. */
  static Verdict takeAll(BlkQueue queue, int count, Subject subject) {
    for (int i = 0; i < count; i++) {
      if (!queue.queue().await((int) subject.patience().toMillis())) {
        return new Verdict.Fail("%d of %d requests were not answered".formatted(count - i, count));
      }
      int slot = queue.take();
      if (queue.status(slot) != 0) {
        return new Verdict.Fail("status of a read is " + queue.status(slot));
      }
      queue.release(slot);
    }
    return Verdict.PASS;
  }

  private static Verdict baseCounts(Subject subject) throws BlockFault {
    try (GuestRam ram = GuestRam.of(Subject.RAM_BYTES);
        Driver driver = subject.start(ram, PLAN)) {
      BlkDriver disk = BlkDriver.of(driver, 0, BYTES);
      for (int i = 0; i < 5; i++) {
        byte[] _ = disk.read(0, BYTES);
      }
      int base = driver.frontEnd().getVringBase(0);
      return Verdict.of(base == 5, "base is %d after 5 requests".formatted(base));
    }
  }

  private static Verdict stopAndGoOn(Subject subject) throws BlockFault {
    try (GuestRam ram = GuestRam.of(Subject.RAM_BYTES);
        Driver driver = subject.start(ram, PLAN)) {
      BlkDriver disk = BlkDriver.of(driver, 0, BYTES);
      byte[] before = disk.read(0, BYTES);
      boolean same = true;
      for (int i = 0; i < 3; i++) {
        driver.stop();
        driver.resume();
        same &= Arrays.equals(before, disk.read(0, BYTES));
      }
      return Verdict.of(same, "a read gave other bytes afterwards");
    }
  }

  private static Verdict suspended(Subject subject) throws BlockFault {
    try (GuestRam ram = GuestRam.of(Subject.RAM_BYTES);
        Driver driver = subject.start(ram, PLAN)) {
      var queue = new BlkQueue(driver.queue(0), ram, 1, BYTES, BYTES);
      driver.stop();
      boolean _ = queue.add(queue.claim(), BlkType.IN, 0, 0, BYTES);
      driver.queue(0).publish();
      GuestRam.Snapshot stopped = ram.snapshot();
      driver.queue(0).kick();
      boolean answered = driver.queue(0).await(QUIET_MS);
      // Waiting for calls writes to the ring: the driver's own page.
      return Verdict.of(
          !answered && ram.changedSince(stopped).cardinality() <= 1, "a stopped ring was served");
    }
  }

  private static Verdict disabled(Subject subject) throws BlockFault {
    try (GuestRam ram = GuestRam.of(Subject.RAM_BYTES);
        Driver driver = subject.start(ram, PLAN)) {
      if ((driver.features() & VirtioFeature.PROTOCOL_FEATURES) == 0) {
        return new Verdict.NotOffered("PROTOCOL_FEATURES");
      }
      var queue = new BlkQueue(driver.queue(0), ram, 1, BYTES, BYTES);
      driver.frontEnd().setVringEnable(0, false);
      long _ = driver.frontEnd().getFeatures();
      boolean _ = queue.add(queue.claim(), BlkType.IN, 0, 0, BYTES);
      driver.queue(0).publish();
      driver.queue(0).kick();
      if (driver.queue(0).await(QUIET_MS)) {
        return new Verdict.Fail("a disabled ring was served");
      }
      driver.frontEnd().setVringEnable(0, true);
      driver.queue(0).kick();
      return takeAll(queue, 1, subject);
    }
  }

  private static Verdict unkicked(Subject subject) throws BlockFault {
    try (GuestRam ram = GuestRam.of(Subject.RAM_BYTES);
        Driver driver = subject.start(ram, PLAN)) {
      var queue = new BlkQueue(driver.queue(0), ram, 1, BYTES, BYTES);
      driver.stop();
      boolean _ = queue.add(queue.claim(), BlkType.IN, 0, 0, BYTES);
      driver.queue(0).publish();
      driver.resume();
      return takeAll(queue, 1, subject.within(java.time.Duration.ofSeconds(1)));
    }
  }

  private static Verdict addedRegion(Subject subject) throws BlockFault {
    if (!subject.offers(ProtocolFeature.CONFIGURE_MEM_SLOTS)) {
      return new Verdict.NotOffered("CONFIGURE_MEM_SLOTS");
    }
    try (GuestRam ram = GuestRam.of(Subject.RAM_BYTES);
        Driver driver = subject.start(ram, PLAN)) {
      byte[] expected = BlkDriver.of(driver, 0, BYTES).read(0, BYTES);
      var added = ram.add(1L << 32, 1 << 20);
      driver.frontEnd().addMemReg(added, ram.descriptor(1));
      long at = ram.allocate(1, BYTES, BYTES);
      long header = ram.allocate(1, 32, 16);
      driver.queue(0).begin();
      driver.queue(0).readable(header, 16);
      driver.queue(0).writable(at, BYTES);
      driver.queue(0).writable(header + 16, 1);
      int _ = driver.queue(0).add();
      driver.queue(0).submit();
      if (!driver.queue(0).await((int) subject.patience().toMillis())) {
        return new Verdict.Fail("a request in the new region was not answered");
      }
      int _ = driver.queue(0).take();
      byte[] found = ram.at(at, BYTES).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
      driver.frontEnd().remMemReg(added);
      return Verdict.of(Arrays.equals(found, expected), "the new region holds other bytes");
    }
  }

  private static Verdict resetInUse(Subject subject) throws BlockFault {
    if (!subject.offers(ProtocolFeature.RESET_DEVICE)) {
      return new Verdict.NotOffered("RESET_DEVICE");
    }
    try (GuestRam ram = GuestRam.of(Subject.RAM_BYTES);
        Driver driver = subject.start(ram, PLAN)) {
      byte[] before = BlkDriver.of(driver, 0, BYTES).read(0, BYTES);
      driver.stop();
      driver.frontEnd().resetDevice();
      driver.restart();
      byte[] after = BlkDriver.of(driver, 0, BYTES).read(0, BYTES);
      return Verdict.of(Arrays.equals(before, after), "a read gave other bytes afterwards");
    }
  }
}
