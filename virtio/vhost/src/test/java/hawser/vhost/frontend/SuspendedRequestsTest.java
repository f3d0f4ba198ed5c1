package hawser.vhost.frontend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.PeerFault;
import hawser.vhost.backend.Device;
import hawser.vhost.backend.QueueHandler;
import hawser.vhost.message.ProtocolFeature;
import hawser.vhost.ring.Chain;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A queue is stopped while its device has requests: they stay in the record and are served by the
 * back-end that goes on (vhost-user, "VHOST_USER_PROTOCOL_F_GET_VRING_BASE_INFLIGHT").
 */
class SuspendedRequestsTest {
  private static final long PROTOCOL =
      DriverPlan.PROTOCOL_ALL | ProtocolFeature.GET_VRING_BASE_INFLIGHT.mask;
  private static final int REQUESTS = 7;
  private static final int PATIENCE_MILLIS = 60_000;

  /** Serves every third chain and holds the others, until it may let go of them. */
  private static final class Holding implements Device {
    private final CountDownLatch taken = new CountDownLatch(REQUESTS);

    @Override
    public int virtioId() {
      return 42;
    }

    @Override
    public String name() {
      return "holding";
    }

    @Override
    public long features() {
      return 0;
    }

    @Override
    public int queues() {
      return 1;
    }

    @Override
    public boolean suspendsRequests() {
      return true;
    }

    @Override
    public QueueHandler open(int queue) {
      List<Chain> held = new ArrayList<>();
      return new QueueHandler() {
        @Override
        public void handle(Chain chain) {
          if (taken.getCount() % 3 == 0) {
            chain.complete(0);
          } else {
            held.add(chain);
          }
          taken.countDown();
        }

        @Override
        public void stopping() {
          held.forEach(chain -> chain.complete(0));
        }

        @Override
        public void suspending() {
          held.forEach(Chain::suspend);
        }
      };
    }

    @Override
    public void close() {}
  }

  @ParameterizedTest
  @ValueSource(longs = {DriverPlan.SPLIT, DriverPlan.PACKED})
  void theSuccessorServesThem(long features) throws Exception {
    var holding = new Holding();
    try (var first = new Served(holding);
        var second = new Served(new EchoDevice());
        GuestRam ram = GuestRam.of(1 << 20);
        Driver driver = start(first, ram, features)) {
      assertThat(ProtocolFeature.GET_VRING_BASE_INFLIGHT.in(driver.protocol())).isTrue();
      DriverQueue queue = driver.queue(0);
      request(queue, ram);
      holding.taken.await();
      driver.stop();
      Set<Integer> served = served(queue);
      assertThat(served).hasSize(2);
      driver.reconnect(second.frontEnd());
      while (served.size() < REQUESTS) {
        assertThat(queue.await(PATIENCE_MILLIS)).isTrue();
        served(queue).forEach(id -> assertThat(served.add(id)).as("%d again", id).isTrue());
      }
      driver.stop();
      assertThat(queue.outstanding()).isZero();
    }
  }

  /** Often, for the queue's thread must not have woken yet. */
  @ParameterizedTest
  @ValueSource(longs = {DriverPlan.SPLIT, DriverPlan.PACKED})
  void theSuccessorServesThemAlsoIfItStopsAtOnce(long features) throws Exception {
    for (int i = 0; i < 50; i++) {
      var holding = new Holding();
      try (var first = new Served(holding);
          var second = new Served(new EchoDevice());
          GuestRam ram = GuestRam.of(1 << 20);
          Driver driver = start(first, ram, features)) {
        request(driver.queue(0), ram);
        holding.taken.await();
        driver.stop();
        driver.reconnect(second.frontEnd());
        driver.stop();
        assertThat(served(driver.queue(0))).hasSize(REQUESTS);
      }
    }
  }

  @Test
  void aFrontEndThatDoesNotKnowThemWaits() throws Exception {
    var holding = new Holding();
    try (var served = new Served(holding);
        GuestRam ram = GuestRam.of(1 << 20);
        Driver driver = Driver.start(served.frontEnd(), ram, DriverPlan.of(DriverPlan.SPLIT))) {
      request(driver.queue(0), ram);
      holding.taken.await();
      driver.stop();
      assertThat(served(driver.queue(0))).hasSize(REQUESTS);
    }
  }

  @Test
  void itNeedsTheRecordAndADeviceThatCan() throws Exception {
    try (var able = new Served(new Holding());
        var unable = new Served(new EchoDevice());
        FrontEnd one = able.frontEnd();
        FrontEnd other = unable.frontEnd()) {
      assertThat(offers(one)).isTrue();
      one.setProtocolFeatures(ProtocolFeature.GET_VRING_BASE_INFLIGHT.mask);
      assertThatThrownBy(one::getFeatures).isInstanceOf(PeerFault.class);
      assertThat(offers(other)).isFalse();
    }
  }

  private static boolean offers(FrontEnd frontEnd) {
    return ProtocolFeature.GET_VRING_BASE_INFLIGHT.in(frontEnd.getProtocolFeatures());
  }

  private static Driver start(Served backEnd, GuestRam ram, long features) throws Exception {
    var plan = DriverPlan.of(features).withProtocol(PROTOCOL);
    return Driver.start(backEnd.frontEnd(), ram, plan);
  }

  private static void request(DriverQueue queue, GuestRam ram) {
    for (int i = 0; i < REQUESTS; i++) {
      long at = ram.allocate(128, 64);
      queue.begin();
      queue.readable(at, 64);
      queue.writable(at + 64, 64);
      assertThat(queue.add()).isNotEqualTo(DriverQueue.NONE);
    }
    queue.submit();
  }

  private static Set<Integer> served(DriverQueue queue) {
    Set<Integer> served = new HashSet<>();
    for (int id = queue.take(); id != DriverQueue.NONE; id = queue.take()) {
      served.add(id);
    }
    return served;
  }
}
