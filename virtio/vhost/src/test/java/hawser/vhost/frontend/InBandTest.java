package hawser.vhost.frontend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.PeerFault;
import hawser.vhost.backend.BackEndOptions;
import hawser.vhost.message.BackEndMessage;
import hawser.vhost.message.ProtocolFeature;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Kicks, calls and errors as messages (vhost-user, "In-band notifications"). */
class InBandTest {
  private static final BackEndOptions IN_BAND =
      new BackEndOptions(0, false, true, _ -> {}, _ -> {});
  private static final long PROTOCOL =
      DriverPlan.PROTOCOL_ALL | ProtocolFeature.INBAND_NOTIFICATIONS.mask;
  private static final int REQUESTS = 200;
  private static final int PATIENCE_MILLIS = 60_000;

  @ParameterizedTest
  @ValueSource(longs = {DriverPlan.SPLIT, DriverPlan.PACKED})
  void requestsAreServedWithoutEvents(long features) throws Exception {
    var calls = new AtomicInteger();
    DriverPlan plan =
        DriverPlan.of(features)
            .withProtocol(PROTOCOL)
            .withListener(
                (message, _) -> {
                  assertThat(message).isEqualTo(new BackEndMessage.VringCall(0));
                  calls.incrementAndGet();
                  return BackEndListener.Answer.OK;
                });
    try (var served = new Served(new EchoDevice(), IN_BAND);
        GuestRam ram = GuestRam.of(1 << 20);
        Driver driver = Driver.start(served.frontEnd(), ram, plan)) {
      DriverQueue queue = driver.queue(0);
      long at = ram.allocate(128, 64);
      for (int i = 0; i < REQUESTS; i++) {
        ram.at(at, 64).fill((byte) i);
        queue.begin();
        queue.readable(at, 64);
        queue.writable(at + 64, 64);
        assertThat(queue.add()).isNotEqualTo(DriverQueue.NONE);
        queue.submit();
        assertThat(queue.await(PATIENCE_MILLIS)).isTrue();
        assertThat(queue.take()).isNotEqualTo(DriverQueue.NONE);
        assertThat(ram.at(at, 64).mismatch(ram.at(at + 64, 64))).isEqualTo(-1);
      }
      driver.stop();
      assertThat(queue.kicks()).isPositive();
      assertThat(calls).hasPositiveValue();
      assertThat(driver.frontEnd().channelFault()).isNull();
    }
  }

  @Test
  void aBrokenVringIsTold() throws Exception {
    var told = new CountDownLatch(1);
    DriverPlan plan =
        DriverPlan.of(DriverPlan.SPLIT)
            .withProtocol(PROTOCOL)
            .withListener(
                (message, _) -> {
                  if (message instanceof BackEndMessage.VringErr(int vring) && vring == 0) {
                    told.countDown();
                  }
                  return BackEndListener.Answer.OK;
                });
    try (var served = new Served(new EchoDevice(), IN_BAND);
        GuestRam ram = GuestRam.of(1 << 20);
        Driver driver = Driver.start(served.frontEnd(), ram, plan)) {
      var queue = (SplitDriverQueue) driver.queue(0);
      queue.putAvailable(0, 4711);
      queue.putAvailableIndex(1);
      queue.kick();
      told.await();
      driver.stop();
    }
  }

  @Test
  void itNeedsTheChannelAndAnswers() throws Exception {
    try (var served = new Served(new EchoDevice(), IN_BAND)) {
      for (ProtocolFeature missing :
          new ProtocolFeature[] {ProtocolFeature.BACKEND_REQ, ProtocolFeature.REPLY_ACK}) {
        try (FrontEnd frontEnd = served.frontEnd()) {
          long offered = frontEnd.getProtocolFeatures();
          frontEnd.setProtocolFeatures(offered & ~missing.mask);
          assertThatThrownBy(frontEnd::getFeatures).isInstanceOf(PeerFault.class);
        }
      }
    }
  }

  @Test
  void itIsOfferedOnRequestOnly() throws Exception {
    try (var served = new Served(new EchoDevice());
        FrontEnd frontEnd = served.frontEnd()) {
      assertThat(ProtocolFeature.INBAND_NOTIFICATIONS.in(frontEnd.getProtocolFeatures())).isFalse();
      frontEnd.setProtocolFeatures(ProtocolFeature.REPLY_ACK.mask);
      assertThatThrownBy(() -> frontEnd.vringKick(0)).isInstanceOf(PeerFault.class);
    }
  }
}
