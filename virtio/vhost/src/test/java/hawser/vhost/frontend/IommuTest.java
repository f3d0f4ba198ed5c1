package hawser.vhost.frontend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.PeerFault;
import hawser.vhost.message.BackEndMessage;
import hawser.vhost.message.IotlbEntry;
import hawser.vhost.message.VirtioFeature;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A device behind an IOMMU: it knows of no address until it asked (vhost-user, "IOMMU support").
 */
class IommuTest {
  private static final int REQUESTS = 400;
  private static final int PATIENCE_MILLIS = 60_000;
  private static final int BUFFER_BYTES = 10_000;
  private static final long RAM = 1 << 20;

  /** Translations go one by one, those of the ring with them, or all at once. */
  @ParameterizedTest
  @ValueSource(
      longs = {
        DriverPlan.SPLIT,
        DriverPlan.PACKED,
        DriverPlan.SPLIT & ~VirtioFeature.INDIRECT_DESC
      })
  void whatIsTakenBackIsAskedForAgain(long features) throws Exception {
    var dice = new Random(features);
    var misses = new AtomicInteger();
    DriverPlan plan =
        DriverPlan.of(features | VirtioFeature.ACCESS_PLATFORM)
            .withListener(
                (message, _) -> {
                  assertThat(message).isInstanceOf(BackEndMessage.IotlbMsg.class);
                  misses.incrementAndGet();
                  return BackEndListener.Answer.OK;
                });
    try (var served = new Served(new EchoDevice());
        GuestRam ram = GuestRam.of(2, RAM, 1 << 16);
        Driver driver = Driver.start(served.frontEnd(), ram, plan)) {
      DriverQueue queue = driver.queue(0);
      long at = ram.allocate(1, 2 * BUFFER_BYTES, 1);
      for (int i = 0; i < REQUESTS; i++) {
        int bytes = 1 + dice.nextInt(BUFFER_BYTES);
        ram.at(at, bytes).fill((byte) i);
        queue.begin();
        queue.readable(at, bytes);
        queue.writable(at + BUFFER_BYTES, bytes);
        assertThat(queue.add()).isNotEqualTo(DriverQueue.NONE);
        queue.submit();
        int before = misses.get();
        switch (dice.nextInt(8)) {
          case 0 -> driver.invalidate(at, 2 * BUFFER_BYTES);
          case 1 -> driver.invalidate(0, RAM);
          case 2 -> driver.invalidate(-DriverQueue.IOVA_OFFSET, 0);
          default -> {}
        }
        assertThat(queue.await(PATIENCE_MILLIS)).as("request %d", i).isTrue();
        assertThat(queue.take()).isNotEqualTo(DriverQueue.NONE);
        assertThat(ram.at(at, bytes).mismatch(ram.at(at + BUFFER_BYTES, bytes))).isEqualTo(-1);
        assertThat(misses.get() - before).as("misses").isLessThan(100);
      }
      driver.stop();
      assertThat(misses.get()).isGreaterThan(REQUESTS / 8);
      assertThat(driver.frontEnd().channelFault()).isNull();
    }
  }

  @Test
  void aQueueThatWaitsForATranslationCanBeStopped() throws Exception {
    long nowhere = 1L << 30;
    var asked = new CountDownLatch(1);
    DriverPlan plan =
        DriverPlan.of(DriverPlan.SPLIT | VirtioFeature.ACCESS_PLATFORM)
            .withListener(
                (message, _) -> {
                  if (message instanceof BackEndMessage.IotlbMsg(IotlbEntry entry)
                      && entry.iova() == nowhere + DriverQueue.IOVA_OFFSET) {
                    asked.countDown();
                  }
                  return BackEndListener.Answer.OK;
                });
    try (var served = new Served(new EchoDevice());
        GuestRam ram = GuestRam.of(RAM);
        Driver driver = Driver.start(served.frontEnd(), ram, plan)) {
      DriverQueue queue = driver.queue(0);
      queue.begin();
      queue.readable(nowhere, 64);
      queue.add();
      queue.submit();
      asked.await();
      assertThat(driver.frontEnd().getVringBase(0)).isZero();
      assertThat(queue.ready()).isFalse();
      ram.add(nowhere, GuestRam.PAGE_BYTES);
      driver.frontEnd().addMemReg(ram.region(1), ram.descriptor(1));
      driver.frontEnd().setVringKick(0, queue.kickDescriptor());
      assertThat(queue.await(PATIENCE_MILLIS)).isTrue();
    }
  }

  @Test
  void aTranslationMustLeadToSharedMemory() throws Exception {
    try (var served = new Served(new EchoDevice());
        GuestRam ram = GuestRam.of(RAM);
        Driver driver =
            Driver.start(
                served.frontEnd(),
                ram,
                DriverPlan.of(DriverPlan.SPLIT | VirtioFeature.ACCESS_PLATFORM))) {
      FrontEnd frontEnd = driver.frontEnd();
      assertThatThrownBy(
              () -> frontEnd.iotlb(new IotlbEntry(0, 4096, 4711, 3, IotlbEntry.Type.UPDATE)))
          .isInstanceOf(PeerFault.class)
          .hasMessage("IOTLB_MSG: the back-end answers 1, not 0");
      assertThatThrownBy(() -> frontEnd.iotlb(new IotlbEntry(0, 0, 0, 1, IotlbEntry.Type.MISS)))
          .isInstanceOf(PeerFault.class);
      frontEnd.iotlb(new IotlbEntry(0, 4096, ram.host(0, 1), 3, IotlbEntry.Type.UPDATE));
    }
  }

  @Test
  void onlyADeviceThatSaysSoIsPutBehindOne() throws Exception {
    try (var device = new LateEcho();
        var served = new Served(device);
        FrontEnd frontEnd = served.frontEnd()) {
      assertThat(frontEnd.getFeatures() & VirtioFeature.ACCESS_PLATFORM).isZero();
      assertThatThrownBy(
              () -> frontEnd.iotlb(new IotlbEntry(0, 4096, 0, 3, IotlbEntry.Type.UPDATE)))
          .isInstanceOf(PeerFault.class);
    }
  }
}
