package hawser.vhost.frontend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.PeerFault;
import hawser.vhost.backend.BackEndOptions;
import hawser.vhost.message.FrontEndCode;
import hawser.vhost.message.MemoryRegion;
import hawser.vhost.message.ProtocolFeature;
import hawser.vhost.message.VirtioFeature;
import hawser.vhost.ring.RingLayout;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a back-end had been told when it died, piece by piece, is so at its successor. */
class RelayRecoveryTest {
  private static final int PATIENCE_MILLIS = 60_000;
  private static final int BYTES = 5000;
  private static final int REGION_BYTES = 1 << 18;
  private static final int GAP_BYTES = 1 << 16;

  /** What QEMU agrees to with a file system: no record of requests under way. */
  private static final long PROTOCOL =
      DriverPlan.PROTOCOL_ALL & ~ProtocolFeature.INFLIGHT_SHMFD.mask;

  private static final long IN_BAND = PROTOCOL | ProtocolFeature.INBAND_NOTIFICATIONS.mask;

  private static MortalBackEnd inBand() {
    var options = new BackEndOptions(0, false, true, _ -> {}, _ -> {});
    return new MortalBackEnd(new Served(new EchoDevice(), options), 1, Integer.MAX_VALUE, false);
  }

  private static Driver start(RunningRelay relay, GuestRam ram, DriverPlan plan) {
    return Driver.start(new FrontEnd(relay.frontEnd(), FrontEnd.PATIENCE), ram, plan);
  }

  private static DriverPlan plan(long features) {
    return DriverPlan.of(features).withProtocol(PROTOCOL);
  }

  /** Another one has been told everything when this returns. */
  private static void succeed(MortalBackEnd backEnds, Driver driver) {
    backEnds.die();
    assertThat(driver.frontEnd().getFeatures()).isNotZero();
  }

  /** A request of {@link #BYTES} from {@code at}, answered right behind it. */
  private static void ask(DriverQueue queue, GuestRam ram, long at) {
    byte last = ram.at(at, 1).get(ValueLayout.JAVA_BYTE, 0);
    ram.at(at, BYTES).fill((byte) (last + 1));
    queue.begin();
    queue.readable(at, BYTES);
    queue.writable(at + BYTES, BYTES);
    assertThat(queue.add()).isNotEqualTo(DriverQueue.NONE);
    queue.submit();
  }

  private static void awaitAnswer(DriverQueue queue, GuestRam ram, long at) {
    assertThat(queue.await(PATIENCE_MILLIS)).as("queue %d serves", queue.index()).isTrue();
    assertThat(queue.take()).isNotEqualTo(DriverQueue.NONE);
    assertThat(ram.at(at, BYTES).mismatch(ram.at(at + BYTES, BYTES))).isEqualTo(-1);
  }

  private static void echo(DriverQueue queue, GuestRam ram, long at) {
    ask(queue, ram, at);
    awaitAnswer(queue, ram, at);
  }

  @ParameterizedTest
  @ValueSource(longs = {DriverPlan.SPLIT, DriverPlan.PACKED})
  void notificationsInBandAreNotOffered(long features) throws Exception {
    try (MortalBackEnd backEnds = inBand();
        RunningRelay relay = RunningRelay.with(backEnds);
        GuestRam ram = GuestRam.of(1 << 20);
        Driver driver = start(relay, ram, plan(features).withProtocol(IN_BAND))) {
      assertThat(driver.protocol() & IN_BAND & ~PROTOCOL).isZero();
      long at = ram.allocate(2 * BYTES, 64);
      echo(driver.queue(0), ram, at);
      succeed(backEnds, driver);
      echo(driver.queue(0), ram, at);
    }
  }

  @Test
  void notificationsInBandAreNotAgreedTo() throws Exception {
    try (MortalBackEnd backEnds = inBand();
        RunningRelay relay = RunningRelay.with(backEnds);
        var frontEnd = new FrontEnd(relay.frontEnd(), FrontEnd.PATIENCE)) {
      frontEnd.setProtocolFeatures(IN_BAND & ~PROTOCOL);
      assertThatThrownBy(frontEnd::getFeatures).isInstanceOf(PeerFault.class);
      assertThatThrownBy(() -> relay.left().join())
          .isInstanceOf(CompletionException.class)
          .hasCauseInstanceOf(PeerFault.class)
          .hasMessageContaining("SET_PROTOCOL_FEATURES: 0x4000 was not offered");
    }
  }

  /** An answer to a back-end that has died meanwhile would be its successor's to something else. */
  @Test
  void theBackEndHasNothingToAsk() throws Exception {
    try (var backEnds = MortalBackEnd.of(new EchoDevice());
        RunningRelay relay = RunningRelay.with(backEnds);
        var frontEnd = new FrontEnd(relay.frontEnd(), FrontEnd.PATIENCE)) {
      assertThat(frontEnd.getFeatures() & VirtioFeature.ACCESS_PLATFORM).isZero();
      assertThat(ProtocolFeature.BACKEND_REQ.in(frontEnd.getProtocolFeatures())).isFalse();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "SET_FEATURES,          0x200000000",
    "SET_PROTOCOL_FEATURES, 0x20",
    "SET_BACKEND_REQ_FD,    BACKEND_REQ"
  })
  void whatNeedsThatIsNotAgreedTo(FrontEndCode order, String refused) throws Exception {
    try (var backEnds = MortalBackEnd.of(new EchoDevice());
        RunningRelay relay = RunningRelay.with(backEnds);
        var frontEnd = new FrontEnd(relay.frontEnd(), FrontEnd.PATIENCE)) {
      switch (order) {
        case SET_FEATURES -> frontEnd.setFeatures(VirtioFeature.ACCESS_PLATFORM);
        case SET_PROTOCOL_FEATURES ->
            frontEnd.setProtocolFeatures(ProtocolFeature.BACKEND_REQ.mask);
        default ->
            frontEnd.setBackendReqFd(
                (_, _) -> {
                  throw new AssertionError("nobody has it");
                });
      }
      assertThatThrownBy(frontEnd::getFeatures).isInstanceOf(PeerFault.class);
      assertThatThrownBy(() -> relay.left().join())
          .isInstanceOf(CompletionException.class)
          .hasCauseInstanceOf(PeerFault.class)
          .hasMessageContaining("%s: %s was not offered".formatted(order, refused));
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {DriverPlan.SPLIT, DriverPlan.PACKED})
  void theSuccessorMarksWhatItWrites(long features) throws Exception {
    try (var backEnds = MortalBackEnd.of(new EchoDevice());
        RunningRelay relay = RunningRelay.with(backEnds);
        GuestRam ram = GuestRam.of(2, REGION_BYTES, GAP_BYTES);
        Driver driver = start(relay, ram, plan(features))) {
      long before = ram.allocate(1, 2 * BYTES, 4096);
      long after = ram.allocate(1, 2 * BYTES, 4096);
      DirtyPages log = driver.startLog();
      echo(driver.queue(0), ram, before);
      succeed(backEnds, driver);
      assertThat(marks(log.take(), driver, before)).as("marked by the one that died").isTrue();
      echo(driver.queue(0), ram, after);
      // Whoever is asked to stop has marked the ring too.
      driver.stop();
      BitSet marked = log.take();
      assertThat(marks(marked, driver, after)).as("marked by its successor").isTrue();
      assertThat(marked.get(page(before + BYTES))).as("marked again").isFalse();
      driver.resume();
      driver.stopLog();
      succeed(backEnds, driver);
      echo(driver.queue(0), ram, after);
    }
  }

  /** A back-end takes a request and comes to an end; the vring is disabled then. */
  @ParameterizedTest
  @ValueSource(longs = {DriverPlan.SPLIT, DriverPlan.PACKED})
  void whatIsLeftIsFinishedByAVringThatIsOnlyStopped(long features) throws Exception {
    int taken = features == DriverPlan.PACKED ? 4 : 2;
    var taking = new CountDownLatch(1);
    var options =
        new BackEndOptions(
            0,
            false,
            false,
            _ -> {},
            step -> {
              if (step == taken && taking.getCount() > 0) {
                taking.countDown();
                throw new PeerFault("the end");
              }
            });
    var served = new Served(new EchoDevice(), options);
    try (var backEnds = new MortalBackEnd(served, Integer.MAX_VALUE, Integer.MAX_VALUE, false);
        RunningRelay relay = RunningRelay.with(backEnds);
        GuestRam ram = GuestRam.of(1 << 20);
        Driver driver = start(relay, ram, plan(features))) {
      FrontEnd frontEnd = driver.frontEnd();
      DriverQueue queue = driver.queue(0);
      long at = ram.allocate(4 * BYTES, 64);
      ask(queue, ram, at);
      taking.await();
      frontEnd.setVringEnable(0, false);
      succeed(backEnds, driver);
      ask(queue, ram, at + 2 * BYTES);
      frontEnd.getVringBase(0);
      awaitAnswer(queue, ram, at);
      assertThat(queue.ready()).as("served while disabled").isFalse();
      frontEnd.setVringKick(0, queue.kickDescriptor());
      frontEnd.setVringEnable(0, true);
      awaitAnswer(queue, ram, at + 2 * BYTES);
    }
  }

  /** The one that died may have written anywhere in it without having said so. */
  @ParameterizedTest
  @ValueSource(longs = {DriverPlan.SPLIT, DriverPlan.PACKED})
  void theSuccessorMarksTheWholeRing(long features) throws Exception {
    int size = 2048;
    try (var backEnds = MortalBackEnd.of(new EchoDevice());
        RunningRelay relay = RunningRelay.with(backEnds);
        GuestRam ram = GuestRam.of(1 << 20);
        Driver driver = start(relay, ram, plan(features).withQueues(1, size, 0))) {
      DirtyPages log = driver.startLog();
      log.take();
      succeed(backEnds, driver);
      RingMemory ring = driver.queue(0).memory();
      boolean packed = (features & VirtioFeature.RING_PACKED) != 0;
      int first = page(packed ? ring.descriptors() : ring.used());
      long bytes = packed ? RingLayout.descriptorBytes(size) : RingLayout.usedBytes(size);
      int end = first + (int) (bytes / GuestRam.PAGE_BYTES);
      assertThat(log.take().nextClearBit(first))
          .as("pages %d to %d", first, end)
          .isGreaterThanOrEqualTo(end);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = FrontEndCode.class,
      names = {"ADD_MEM_REG", "REM_MEM_REG"})
  void memoryIsNotServedLate(FrontEndCode request) throws Exception {
    try (var backEnds = MortalBackEnd.of(new EchoDevice());
        RunningRelay relay = RunningRelay.with(backEnds);
        var frontEnd = new FrontEnd(relay.frontEnd(), FrontEnd.PATIENCE)) {
      frontEnd.memoryServed(request);
      assertThatThrownBy(frontEnd::getFeatures).isInstanceOf(PeerFault.class);
      assertThatThrownBy(() -> relay.left().join())
          .hasCauseInstanceOf(PeerFault.class)
          .hasMessageContaining("postcopy was not offered");
    }
  }

  /** Whether the pages of an answer are marked, and those of the ring. */
  private static boolean marks(BitSet pages, Driver driver, long at) {
    RingMemory ring = driver.queue(0).memory();
    boolean packed = (driver.features() & VirtioFeature.RING_PACKED) != 0;
    return pages.get(page(at + BYTES))
        && pages.get(page(at + 2 * BYTES - 1))
        && pages.get(page(packed ? ring.descriptors() : ring.used()));
  }

  private static int page(long at) {
    return (int) (at / GuestRam.PAGE_BYTES);
  }

  /** The first queue works, the second is disabled, the third and fourth are stopped. */
  @ParameterizedTest
  @ValueSource(longs = {DriverPlan.SPLIT, DriverPlan.PACKED})
  void eachQueueGoesOnWhereItWas(long features) throws Exception {
    try (var backEnds = MortalBackEnd.of(new EchoDevice(4));
        RunningRelay relay = RunningRelay.with(backEnds);
        GuestRam ram = GuestRam.of(1 << 20);
        Driver driver = start(relay, ram, plan(features).withQueues(4, 16, 4))) {
      FrontEnd frontEnd = driver.frontEnd();
      long at = ram.allocate(2 * BYTES, 64);
      long waiting = ram.allocate(6 * BYTES, 64);
      for (int i = 0; i < 4; i++) {
        for (int count = 0; count < 20 + i; count++) {
          echo(driver.queue(i), ram, at);
        }
      }
      frontEnd.setVringEnable(1, false);
      frontEnd.setVringEnable(2, false);
      frontEnd.getVringBase(2);
      frontEnd.getVringBase(3);
      ask(driver.queue(2), ram, waiting);
      ask(driver.queue(3), ram, waiting + 2 * BYTES);
      int second = driver.queue(1).usedBase();
      int third = driver.queue(2).usedBase();
      int fourth = driver.queue(3).usedBase();
      ask(driver.queue(1), ram, waiting + 4 * BYTES);
      succeed(backEnds, driver);
      echo(driver.queue(0), ram, at);
      assertThat(driver.queue(1).ready()).as("served while disabled").isFalse();
      assertThat(frontEnd.getVringBase(1)).isEqualTo(second);
      assertThat(frontEnd.getVringBase(2)).isEqualTo(third);
      assertThat(frontEnd.getVringBase(3)).isEqualTo(fourth);
      succeed(backEnds, driver);
      assertThat(driver.queue(2).ready()).as("served without a start").isFalse();
      assertThat(driver.queue(3).ready()).as("served without a start").isFalse();
      frontEnd.setVringKick(3, driver.queue(3).kickDescriptor());
      awaitAnswer(driver.queue(3), ram, waiting + 2 * BYTES);
      frontEnd.setVringKick(2, driver.queue(2).kickDescriptor());
      succeed(backEnds, driver);
      assertThat(driver.queue(2).ready()).as("served while disabled").isFalse();
      frontEnd.setVringEnable(2, true);
      awaitAnswer(driver.queue(2), ram, waiting);
      frontEnd.setVringKick(1, driver.queue(1).kickDescriptor());
      frontEnd.setVringEnable(1, true);
      awaitAnswer(driver.queue(1), ram, waiting + 4 * BYTES);
      succeed(backEnds, driver);
      for (int i = 0; i < 4; i++) {
        echo(driver.queue(i), ram, at);
      }
    }
  }

  /** Status 0 resets; the front-end may set up vrings before it says another one. */
  @Test
  void aResetOfBeforeIsNotSaidAgain() throws Exception {
    try (var backEnds = MortalBackEnd.of(new EchoDevice());
        RunningRelay relay = RunningRelay.with(backEnds);
        GuestRam ram = GuestRam.of(1 << 20);
        Driver driver = start(relay, ram, plan(DriverPlan.SPLIT));
        var vring = new ModelledVring(1, ram, 16, driver.features())) {
      FrontEnd frontEnd = driver.frontEnd();
      frontEnd.setStatus(0);
      vring.configure(frontEnd, true);
      frontEnd.setVringCall(1, vring.queue.callDescriptor());
      frontEnd.setVringKick(1, vring.queue.kickDescriptor());
      frontEnd.setVringEnable(1, true);
      vring.started = true;
      vring.enabled = true;
      vring.called = true;
      succeed(backEnds, driver);
      vring.ask();
    }
  }

  /** A table, then regions one by one; two of them go and come back elsewhere, one of each. */
  @ParameterizedTest
  @ValueSource(longs = {DriverPlan.SPLIT, DriverPlan.PACKED})
  void exactlyThePresentRegionsAreThere(long features) throws Exception {
    try (var backEnds = MortalBackEnd.of(new EchoDevice());
        RunningRelay relay = RunningRelay.with(backEnds);
        GuestRam ram = GuestRam.of(4, REGION_BYTES, GAP_BYTES);
        Driver driver = start(relay, ram, plan(features))) {
      FrontEnd frontEnd = driver.frontEnd();
      frontEnd.setMemTable(
          List.of(ram.region(0), ram.region(1), ram.region(2)),
          ram.descriptor(0),
          ram.descriptor(1),
          ram.descriptor(2));
      frontEnd.addMemReg(ram.region(3), ram.descriptor(3));
      MemoryRegion added = removed(frontEnd, ram, 3);
      MemoryRegion ofTable = removed(frontEnd, ram, 1);
      MemoryRegion alsoOfTable = removed(frontEnd, ram, 1);
      long place = 1L << 32;
      // Both come back, and a third one where the second of them was.
      for (long there : new long[] {place, place + REGION_BYTES, ofTable.guestAddress()}) {
        MemoryRegion region = ram.add(there, REGION_BYTES);
        frontEnd.addMemReg(region, ram.descriptor(ram.count() - 1));
      }
      MemoryRegion again = removed(frontEnd, ram, 1);
      succeed(backEnds, driver);
      for (MemoryRegion gone : List.of(added, ofTable, alsoOfTable, again)) {
        assertThatThrownBy(() -> frontEnd.remMemReg(gone)).isInstanceOf(PeerFault.class);
      }
      for (int i = 0; i < ram.count(); i++) {
        echo(driver.queue(0), ram, ram.allocate(i, 2 * BYTES, 64));
      }
      // Every one is there once, and can go.
      while (ram.count() > 1) {
        MemoryRegion last = removed(frontEnd, ram, ram.count() - 1);
        assertThatThrownBy(() -> frontEnd.remMemReg(last)).isInstanceOf(PeerFault.class);
      }
      succeed(backEnds, driver);
      echo(driver.queue(0), ram, ram.allocate(0, 2 * BYTES, 64));
    }
  }

  private static MemoryRegion removed(FrontEnd frontEnd, GuestRam ram, int index) {
    MemoryRegion region = ram.region(index);
    frontEnd.remMemReg(region);
    ram.remove(index);
    return region;
  }
}
