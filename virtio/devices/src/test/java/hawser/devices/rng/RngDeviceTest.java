package hawser.devices.rng;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.devices.Attached;
import hawser.vhost.backend.SmallState;
import hawser.vhost.frontend.DriverPlan;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RngDeviceTest {
  @ParameterizedTest
  @ValueSource(longs = {DriverPlan.SPLIT, DriverPlan.PACKED})
  void fillsEachBufferAnew(long features) throws Exception {
    try (var device = new RngDevice(RngLimit.NONE);
        var guest = new Attached(device, features)) {
      guest.post(0, 64);
      guest.post(0, 64);
      byte[] first = guest.receive(0);
      byte[] second = guest.receive(0);
      assertThat(first).hasSize(64).isNotEqualTo(new byte[64]).isNotEqualTo(second);
      assertThat(second).hasSize(64).isNotEqualTo(new byte[64]);
    }
  }

  @Test
  void aLargeBufferIsFilledInPart() throws Exception {
    try (var device = new RngDevice(RngLimit.NONE);
        var guest = new Attached(device, DriverPlan.SPLIT)) {
      guest.post(0, 100_000);
      assertThat(guest.receive(0)).hasSize(64 << 10);
    }
  }

  @Test
  void aPeriodGivesNoMoreThanItsBytes() throws Exception {
    long period = TimeUnit.MILLISECONDS.toNanos(300);
    try (var device = new RngDevice(new RngLimit(100, period));
        var guest = new Attached(device, DriverPlan.SPLIT)) {
      long start = System.nanoTime();
      for (int i = 0; i < 5; i++) {
        guest.post(0, 64);
      }
      assertThat(guest.receive(0)).hasSize(64);
      assertThat(guest.receive(0)).hasSize(36);
      assertThat(guest.receive(0)).hasSize(64);
      assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(period);
      assertThat(guest.receive(0)).hasSize(36);
      assertThat(guest.receive(0)).hasSize(64);
      assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(2 * period);
    }
  }

  @Test
  void aUsedUpAllowanceHoldsNoStopUp() throws Exception {
    long period = TimeUnit.SECONDS.toNanos(1);
    try (var device = new RngDevice(new RngLimit(10, period));
        var guest = new Attached(device, DriverPlan.SPLIT)) {
      long start = System.nanoTime();
      guest.post(0, 64);
      guest.post(0, 64);
      assertThat(guest.receive(0)).hasSize(10);
      guest.driver.stop();
      assertThat(guest.ready(0)).isFalse();
      // The buffer was left with the driver; stopping is no way to more.
      guest.driver.resume();
      assertThat(guest.receive(0)).hasSize(10);
      assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(period);
    }
  }

  @Test
  void aGuestThatMigratesHasWhatWasLeft() throws Exception {
    var limit = new RngLimit(100, TimeUnit.HOURS.toNanos(1));
    try (var device = new RngDevice(limit);
        var successor = new RngDevice(limit);
        var guest = new Attached(device, DriverPlan.SPLIT)) {
      guest.post(0, 64);
      assertThat(guest.receive(0)).hasSize(64);
      guest.moveTo(successor);
      guest.post(0, 64);
      assertThat(guest.receive(0)).hasSize(36);
      guest.post(0, 64);
      guest.driver.stop();
      assertThat(guest.ready(0)).isFalse();
    }
  }

  @Test
  void aStateWithLessThanNothingIsRefused() throws Exception {
    try (var device = new RngDevice(RngLimit.NONE)) {
      var state = new ByteArrayOutputStream();
      var form = new SmallState("rng", 0x474e5248, 8, 1, 1);
      form.write(form.items(1).putLong(-1), state);
      assertThatThrownBy(() -> device.load(new ByteArrayInputStream(state.toByteArray())))
          .isInstanceOf(IOException.class)
          .hasMessage("-1 bytes are left, not 0 or more");
    }
  }
}
