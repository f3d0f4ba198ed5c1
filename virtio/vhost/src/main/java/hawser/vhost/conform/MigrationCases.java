package hawser.vhost.conform;

import hawser.base.BlockFault;
import hawser.vhost.frontend.BlkDriver;
import hawser.vhost.frontend.BlkQueue;
import hawser.vhost.frontend.BlkType;
import hawser.vhost.frontend.DirtyPages;
import hawser.vhost.frontend.Driver;
import hawser.vhost.frontend.DriverPlan;
import hawser.vhost.frontend.FrontEnd;
import hawser.vhost.frontend.GuestRam;
import hawser.vhost.frontend.InflightRecord;
import hawser.vhost.frontend.StateTransfer;
import hawser.vhost.message.ProtocolFeature;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;

/** What migration and reconnection need, most of it of a disk. Only reads. */
final class MigrationCases {
  private static final int ROUNDS = 300;
  private static final int DATA_BYTES = 64 << 10;
  private static final int DISK_SECTORS = (4 << 20) / BlkDriver.SECTOR_BYTES;

  /** For any device: it starts no ring. */
  static final Case DEVICE_STATE =
      new Case(
          "device state",
          "the state that a device saves it loads again (Migrating back-end state)",
          MigrationCases::deviceState);

  static final List<Case> ALL =
      List.of(
          new Case(
              "log is complete",
              "every page that the device changes is marked, used ring included (Migration)",
              MigrationCases::logComplete),
          new Case(
              "log ends",
              "nothing is marked once LOG_ALL is taken back (Migration)",
              MigrationCases::logEnds),
          new Case(
              "inflight area",
              "GET_INFLIGHT_FD answers memory for the queues asked for (Inflight I/O tracking)",
              MigrationCases::inflightArea),
          new Case(
              "reconnection",
              "a front-end that comes back with its rings and its record loses no request",
              MigrationCases::reconnection),
          new Case(
              "requests left behind",
              "what a stopped ring leaves in its record is served when it goes on (GET_VRING_BASE)",
              MigrationCases::leftBehind),
          DEVICE_STATE);

  private MigrationCases() {}

  private static Verdict logComplete(Subject subject) throws BlockFault {
    if (!subject.offers(ProtocolFeature.LOG_SHMFD)) {
      return new Verdict.NotOffered("LOG_SHMFD");
    }
    var dice = new Random(1);
    long changedPages = 0;
    long markedPages = 0;
    try (GuestRam ram = GuestRam.of(Subject.RAM_BYTES);
        Driver driver = subject.start(ram, RingCases.PLAN)) {
      BlkDriver disk = BlkDriver.of(driver, 0, DATA_BYTES);
      BitSet own = ownPages(driver);
      DirtyPages log = driver.startLog();
      for (int round = 0; round < ROUNDS; round++) {
        int sectors = 1 + dice.nextInt(DATA_BYTES / BlkDriver.SECTOR_BYTES);
        GuestRam.Snapshot before = ram.snapshot();
        byte[] _ = disk.read(dice.nextInt(DISK_SECTORS - sectors), sectors * 512);
        BitSet changed = ram.changedSince(before);
        BitSet marked = log.take();
        changedPages += changed.cardinality();
        markedPages += marked.cardinality();
        changed.andNot(marked);
        changed.andNot(own);
        if (!changed.isEmpty()) {
          return new Verdict.Fail("changed and not marked: pages " + changed);
        }
      }
    }
    return new Verdict.Pass("%d pages changed, %d marked".formatted(changedPages, markedPages));
  }

  /** The pages of the descriptor table and the available ring, which the driver writes to. */
  private static BitSet ownPages(Driver driver) {
    var memory = driver.queue(0).memory();
    var pages = new BitSet();
    pages.set(
        (int) (memory.descriptors() / GuestRam.PAGE_BYTES),
        (int) (memory.available() / GuestRam.PAGE_BYTES) + 1);
    return pages;
  }

  private static Verdict logEnds(Subject subject) throws BlockFault {
    if (!subject.offers(ProtocolFeature.LOG_SHMFD)) {
      return new Verdict.NotOffered("LOG_SHMFD");
    }
    try (GuestRam ram = GuestRam.of(Subject.RAM_BYTES);
        Driver driver = subject.start(ram, RingCases.PLAN)) {
      BlkDriver disk = BlkDriver.of(driver, 0, DATA_BYTES);
      DirtyPages log = driver.startLog();
      byte[] _ = disk.read(0, DATA_BYTES);
      driver.pauseLog();
      BitSet _ = log.take();
      byte[] _ = disk.read(0, DATA_BYTES);
      BitSet marked = log.take();
      driver.stopLog();
      return Verdict.of(marked.isEmpty(), "marked: pages " + marked);
    }
  }

  private static Verdict inflightArea(Subject subject) throws BlockFault {
    if (!subject.offers(ProtocolFeature.INFLIGHT_SHMFD)) {
      return new Verdict.NotOffered("INFLIGHT_SHMFD");
    }
    try (GuestRam ram = GuestRam.of(Subject.RAM_BYTES);
        Driver driver = subject.agree(ram, RingCases.PLAN);
        InflightRecord record = driver.frontEnd().getInflightFd(1, 64)) {
      long least = 16 + 64 * 16;
      driver.frontEnd().setInflightFd(record);
      return Verdict.of(
          record.area().mmapSize() >= least,
          "%d bytes for a queue of 64".formatted(record.area().mmapSize()));
    }
  }

  private static Verdict leftBehind(Subject subject) throws BlockFault {
    if (!subject.offers(ProtocolFeature.GET_VRING_BASE_INFLIGHT)) {
      return new Verdict.NotOffered("GET_VRING_BASE_INFLIGHT");
    }
    long protocol = DriverPlan.PROTOCOL_ALL | ProtocolFeature.GET_VRING_BASE_INFLIGHT.mask;
    try (GuestRam ram = GuestRam.of(Subject.RAM_BYTES);
        Driver driver = subject.start(ram, RingCases.PLAN.withProtocol(protocol))) {
      var queue = new BlkQueue(driver.queue(0), ram, 8, DATA_BYTES, DATA_BYTES);
      for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 8; i++) {
          boolean _ = queue.add(queue.claim(), BlkType.IN, 128L * i, 0, DATA_BYTES);
        }
        queue.queue().submit();
        driver.stop();
        driver.resume();
        Verdict verdict = RingCases.takeAll(queue, 8, subject);
        if (verdict instanceof Verdict.Fail) {
          return verdict;
        }
      }
      return Verdict.PASS;
    }
  }

  private static Verdict reconnection(Subject subject) throws BlockFault {
    if (!subject.offers(ProtocolFeature.INFLIGHT_SHMFD)) {
      return new Verdict.NotOffered("INFLIGHT_SHMFD");
    }
    try (GuestRam ram = GuestRam.of(Subject.RAM_BYTES);
        Driver driver = subject.start(ram, RingCases.PLAN)) {
      var queue = new BlkQueue(driver.queue(0), ram, 8, DATA_BYTES, DATA_BYTES);
      for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 8; i++) {
          boolean _ = queue.add(queue.claim(), BlkType.IN, 128L * i, 0, DATA_BYTES);
        }
        queue.queue().submit();
        driver.frontEnd().shutdown();
        driver.reconnect(subject.connect());
        Verdict verdict = RingCases.takeAll(queue, 8, subject);
        if (verdict instanceof Verdict.Fail) {
          return verdict;
        }
      }
      return Verdict.PASS;
    }
  }

  private static Verdict deviceState(Subject subject) throws BlockFault {
    if (!subject.offers(ProtocolFeature.DEVICE_STATE)) {
      return new Verdict.NotOffered("DEVICE_STATE");
    }
    byte[] saved;
    try (GuestRam ram = GuestRam.of(Subject.RAM_BYTES);
        Driver driver = subject.agree(ram, RingCases.PLAN)) {
      saved = StateTransfer.save(driver.frontEnd());
    }
    try (GuestRam ram = GuestRam.of(Subject.RAM_BYTES);
        Driver driver = subject.agree(ram, RingCases.PLAN)) {
      FrontEnd frontEnd = driver.frontEnd();
      StateTransfer.load(frontEnd, saved);
      byte[] again = StateTransfer.save(frontEnd);
      return Arrays.equals(saved, again)
          ? new Verdict.Pass(saved.length + " bytes")
          : new Verdict.Fail("what was loaded is saved otherwise");
    }
  }
}
