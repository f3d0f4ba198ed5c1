package hawser.vhost.frontend;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import hawser.base.PeerFault;
import hawser.vhost.backend.BackEndOptions;
import hawser.vhost.memory.MissingPages;
import hawser.vhost.message.ProtocolFeature;
import hawser.vhost.message.VirtioFeature;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A guest whose memory comes after it: its back-end waits for what is missing, and only there. */
class PostcopyTest {
  private static final int PAGE = GuestRam.PAGE_BYTES;
  private static final byte CONTENT = 0x5a;

  private final ConcurrentLinkedQueue<String> log = new ConcurrentLinkedQueue<>();
  private final Withheld withheld = new Withheld();

  /** Brings every page at once but for one, which comes when the test lets it. */
  private static final class Withheld implements LatePages.Source {
    private final CountDownLatch asked = new CountDownLatch(1);
    private final CountDownLatch released = new CountDownLatch(1);
    private volatile GuestRam ram;
    private volatile long page;
    private final AtomicInteger brought = new AtomicInteger();

    @Override
    public void bring(long guestAddress) {
      if (guestAddress != page) {
        // Nothing was ever there, as where a guest has not been yet.
        assertThat(ram.at(guestAddress, PAGE).get(JAVA_BYTE, 0)).isZero();
        brought.incrementAndGet();
        return;
      }
      asked.countDown();
      boolean interrupted = false;
      while (released.getCount() > 0) {
        try {
          released.await();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      ram.at(guestAddress, PAGE).fill(CONTENT);
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @BeforeEach
  void requires() {
    assumeTrue(MissingPages.possible(), "userfaultfd is not allowed here");
  }

  private static DriverPlan plan(boolean packed, boolean slots) {
    long without = slots ? 0 : ProtocolFeature.CONFIGURE_MEM_SLOTS.mask;
    return DriverPlan.of(packed ? DriverPlan.PACKED : DriverPlan.SPLIT)
        .withQueues(2, 128, 0)
        .withProtocol(DriverPlan.PROTOCOL_ALL & ~without);
  }

  private static void ask(DriverQueue queue, long question, long answer) {
    queue.begin();
    queue.readable(question, PAGE);
    queue.writable(answer, PAGE);
    assertThat(queue.add()).isNotEqualTo(DriverQueue.NONE);
    queue.submit();
  }

  private static void awaitAnswer(DriverQueue queue) {
    assertThat(queue.await(60_000)).isTrue();
    assertThat(queue.take()).isNotEqualTo(DriverQueue.NONE);
  }

  @ParameterizedTest
  @CsvSource({"false, true", "true, true", "false, false"})
  void aRequestWaitsForItsPageAndNothingElseDoes(boolean packed, boolean slots) throws Exception {
    try (var device = new LateEcho();
        var served = new Served(device, BackEndOptions.loggingTo(log::add));
        GuestRam ram = GuestRam.of(2, 1 << 20, 1 << 20);
        Driver driver = Driver.agree(served.frontEnd(), ram, plan(packed, slots))) {
      long missing = ram.allocate(1, PAGE, PAGE);
      long other = ram.allocate(1, PAGE, PAGE);
      long answer = ram.allocate(1, PAGE, PAGE);
      long otherAnswer = ram.allocate(1, PAGE, PAGE);
      // These have come already.
      ram.at(other, PAGE).fill((byte) 1);
      ram.at(otherAnswer, PAGE).fill((byte) 1);
      withheld.ram = ram;
      withheld.page = missing;
      driver.beginPostcopy(withheld);
      driver.resume();
      assertThat(driver.features() & VirtioFeature.RING_PACKED).isEqualTo(packed ? 1L << 34 : 0);
      ask(driver.queue(0), missing, answer);
      withheld.asked.await();
      // No thread of Java's sits in the fault: this stops them all, and comes back.
      System.gc();
      ask(driver.queue(1), other, otherAnswer);
      awaitAnswer(driver.queue(1));
      assertThat(driver.queue(0).take()).isEqualTo(DriverQueue.NONE);
      withheld.released.countDown();
      awaitAnswer(driver.queue(0));
      assertThat(ram.at(answer, PAGE).toArray(JAVA_BYTE)).containsOnly(CONTENT);
      driver.endPostcopy();
      int brought = withheld.brought.get();
      assertThat(brought).isPositive();
      ask(driver.queue(0), missing, ram.allocate(0, PAGE, PAGE));
      awaitAnswer(driver.queue(0));
      assertThat(withheld.brought).hasValue(brought);
    }
    assertThat(log).isEmpty();
  }

  @Test
  void whatNeverComesIsNotTakenForZeroes() throws Exception {
    try (var device = new LateEcho();
        var served = new Served(device, BackEndOptions.loggingTo(log::add));
        GuestRam ram = GuestRam.of(1 << 20);
        Driver driver = Driver.agree(served.frontEnd(), ram, plan(false, true))) {
      long missing = ram.allocate(PAGE, PAGE);
      long answer = ram.allocate(PAGE, PAGE);
      withheld.ram = ram;
      withheld.page = missing;
      driver.beginPostcopy(withheld);
      driver.resume();
      ask(driver.queue(0), missing, answer);
      withheld.asked.await();
      driver.frontEnd().shutdown();
      served.awaitEnd();
      assertThat(driver.queue(0).take()).isEqualTo(DriverQueue.NONE);
      withheld.released.countDown();
    }
  }

  @Test
  void aFrontEndLeavesBeforeARingHasCome() throws Exception {
    try (var device = new LateEcho();
        var served = new Served(device, BackEndOptions.loggingTo(log::add));
        GuestRam ram = GuestRam.of(1 << 20);
        Driver driver =
            Driver.agree(served.frontEnd(), ram, plan(false, true).withQueues(1, 1024, 0))) {
      withheld.ram = ram;
      // In the first queue's descriptor table, which lies at the beginning of memory.
      withheld.page = 2 * PAGE;
      driver.beginPostcopy(withheld);
      var resuming = CompletableFuture.runAsync(driver::resume);
      withheld.asked.await();
      driver.frontEnd().shutdown();
      served.awaitEnd();
      assertThatThrownBy(resuming::get)
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(PeerFault.class);
      withheld.released.countDown();
    }
    assertThat(log)
        .contains(
            "SET_VRING_ENABLE refused: postcopy: the front-end left before all memory had come");
  }

  @Test
  void memoryThatIsSharedAlreadyCannotBeMissing() throws Exception {
    try (var device = new LateEcho();
        var served = new Served(device);
        GuestRam ram = GuestRam.of(1 << 20);
        Driver driver = Driver.start(served.frontEnd(), ram, plan(false, true))) {
      assertThatThrownBy(() -> driver.beginPostcopy(withheld))
          .isInstanceOf(PeerFault.class)
          .hasMessage("POSTCOPY_LISTEN: the back-end answers 1, not 0");
    }
  }

  @Test
  void aDeviceWithAStateOfItsOwnDoesNotOfferIt() throws Exception {
    try (var served = new Served(new EchoDevice());
        FrontEnd frontEnd = served.frontEnd()) {
      assertThat(ProtocolFeature.PAGEFAULT.in(frontEnd.getProtocolFeatures())).isFalse();
      assertThatThrownBy(frontEnd::postcopyAdvise).isInstanceOf(PeerFault.class);
    }
  }
}
