package hawser.vhost.frontend;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.base.BlockFault;
import hawser.sys.FileCalls;
import hawser.sys.SocketCalls;
import hawser.vhost.message.ProtocolFeature;
import hawser.vhost.relay.Relay;
import java.io.File;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A front-end does not notice that its back-end is another one now and then. */
class RelayTest {
  private static final int PATIENCE_MILLIS = 60_000;

  /** More than a life of {@link #live} has, so that the last ones are not cut off at all. */
  private static final int MESSAGES = 80;

  /** What QEMU agrees to with a file system: no record of requests under way. */
  private static final long WITHOUT_RECORD =
      DriverPlan.PROTOCOL_ALL & ~ProtocolFeature.INFLIGHT_SHMFD.mask;

  @ParameterizedTest
  @CsvSource({"false, false", "false, true", "true, false", "true, true"})
  void itIsCutOffAtEachMessage(boolean swallowsAnswer, boolean packed) throws Exception {
    int successions = 0;
    int fewest = Integer.MAX_VALUE;
    for (int cutAt = 0; cutAt < MESSAGES; cutAt += packed ? 3 : 1) {
      try (var backEnds = new MortalBackEnd(new EchoDevice(), 1, cutAt, swallowsAnswer)) {
        RunningRelay relay = RunningRelay.with(backEnds);
        live(relay.frontEnd(), packed, WITHOUT_RECORD);
        assertThat(relay.left().join()).isTrue();
        successions += backEnds.successions;
        fewest = Math.min(fewest, backEnds.successions);
      }
    }
    assertThat(successions).isGreaterThan(15);
    assertThat(fewest).as("a life without a death").isZero();
  }

  /** A device from start to end, with a pause and a reset between. */
  private static void live(int socket, boolean packed, long protocol) throws BlockFault {
    DriverPlan plan =
        DriverPlan.of(packed ? DriverPlan.PACKED : DriverPlan.SPLIT).withProtocol(protocol);
    try (GuestRam ram = GuestRam.of(1 << 20);
        Driver driver = Driver.start(new FrontEnd(socket, FrontEnd.PATIENCE), ram, plan)) {
      echo(driver, 1);
      driver.stop();
      driver.resume();
      echo(driver, 2);
      driver.stop();
      driver.restart();
      echo(driver, 3);
      assertThat(driver.queue(0).outstanding()).isZero();
    }
  }

  private static void echo(Driver driver, long number) throws BlockFault {
    DriverQueue queue = driver.queue(0);
    long at = driver.ram().allocate(128, 64);
    bytes(driver, at).putLong(0, number);
    queue.begin();
    queue.readable(at, 64);
    queue.writable(at + 64, 64);
    int id = queue.add();
    queue.submit();
    assertThat(queue.await(PATIENCE_MILLIS)).isTrue();
    assertThat(queue.take()).isEqualTo(id);
    assertThat(bytes(driver, at).getLong(64)).isEqualTo(number);
    assertThat(queue.take()).as("answered again").isEqualTo(DriverQueue.NONE);
  }

  private static ByteBuffer bytes(Driver driver, long at) {
    return driver.ram().at(at, 128).asByteBuffer();
  }

  /** A front-end that has a record itself goes on with that one. */
  @Test
  void theFrontEndsOwnRecordIsUsed() throws Exception {
    for (int cutAt = 0; cutAt < MESSAGES; cutAt += 5) {
      try (var backEnds = new MortalBackEnd(new EchoDevice(), 1, cutAt, false)) {
        RunningRelay relay = RunningRelay.with(backEnds);
        live(relay.frontEnd(), false, DriverPlan.PROTOCOL_ALL);
        assertThat(relay.left().join()).isTrue();
      }
    }
  }

  @Test
  void aHundredDeathsLeaveNoDescriptorBehind() throws Exception {
    try (var backEnds = new MortalBackEnd(new EchoDevice(), 2, 30, false)) {
      RunningRelay relay = RunningRelay.with(backEnds);
      live(relay.frontEnd(), false, WITHOUT_RECORD);
      assertThat(relay.left().join()).isTrue();
    }
    int before = descriptors();
    try (var backEnds = new MortalBackEnd(new EchoDevice(), 100, 12, false)) {
      RunningRelay relay = RunningRelay.with(backEnds);
      live(relay.frontEnd(), false, WITHOUT_RECORD);
      assertThat(relay.left().join()).isTrue();
      assertThat(backEnds.alive()).as("one after all that died").isEqualTo(1);
    }
    assertThat(descriptors()).isLessThanOrEqualTo(before);
  }

  private static int descriptors() {
    return Objects.requireNonNull(new File("/proc/self/fd").list()).length;
  }

  @Test
  void withoutASuccessorTheFrontEndIsToldByTheEnd() throws Exception {
    int[] backEnd = new int[2];
    assertThat(SocketCalls.socketPair(backEnd)).isZero();
    var nobody =
        new Relay.Successors() {
          @Override
          public int next() {
            return -1;
          }

          @Override
          public void served() {
            throw new AssertionError("by whom?");
          }
        };
    int[] pair = new int[2];
    assertThat(SocketCalls.socketPair(pair)).isZero();
    FileCalls.close(backEnd[1]);
    assertThat(new Relay(pair[1], backEnd[0], nobody).run()).isFalse();
    assertThat(SocketCalls.poll(pair[0], SocketCalls.POLLIN, PATIENCE_MILLIS)).isEqualTo(1);
    FileCalls.close(pair[0]);
  }
}
