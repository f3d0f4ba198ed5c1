package hawser.devices.input;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.devices.Attached;
import hawser.vhost.frontend.DriverPlan;
import hawser.vhost.frontend.FrontEnd;
import org.junit.jupiter.api.Test;

class InputDeviceTest {
  private static byte[] selected(FrontEnd frontEnd, int select, int subsel) {
    frontEnd.setConfig(0, 0, new byte[] {(byte) select});
    frontEnd.setConfig(1, 0, new byte[] {(byte) subsel});
    byte[] config = frontEnd.getConfig(0, 136);
    assertThat(config[0]).isEqualTo((byte) select);
    assertThat(config[1]).isEqualTo((byte) subsel);
    return java.util.Arrays.copyOfRange(config, 8, 8 + config[2]);
  }

  @Test
  void itsConfigurationIsWhatTheDriverSelects() throws Exception {
    try (var device = new InputDevice();
        var guest = new Attached(device, DriverPlan.SPLIT)) {
      FrontEnd frontEnd = guest.driver.frontEnd();
      assertThat(selected(frontEnd, 1, 0)).asString().isEqualTo("Hawser keyboard");
      assertThat(selected(frontEnd, 0x11, 1)).hasSize(32).startsWith(0xfe, 0xff);
      assertThat(selected(frontEnd, 0x11, 2)).isEmpty();
      assertThat(selected(frontEnd, 0x12, 0)).isEmpty();
    }
  }

  @Test
  void whatTheGuestHasNotTakenMigratesWithIt() throws Exception {
    try (var device = new InputDevice();
        var successor = new InputDevice();
        var guest = new Attached(device, DriverPlan.SPLIT)) {
      guest.driver.frontEnd().setConfig(0, 0, new byte[] {1, 0});
      assertThat(device.send(1, 30, 1)).isTrue();
      assertThat(device.send(1, 30, 0)).isTrue();
      guest.post(0, 8);
      assertThat(guest.receive(0)).containsExactly(1, 0, 30, 0, 1, 0, 0, 0);
      assertThat(successor.send(1, 99, 1)).as("before anybody looks at it").isTrue();
      guest.moveTo(successor);
      assertThat(successor.send(1, 31, 1)).isTrue();
      assertThat(guest.driver.frontEnd().getConfig(0, 8)).startsWith(1, 0, 15);
      guest.post(0, 8);
      assertThat(guest.receive(0)).containsExactly(1, 0, 30, 0, 0, 0, 0, 0);
      guest.post(0, 8);
      assertThat(guest.receive(0)).containsExactly(1, 0, 31, 0, 1, 0, 0, 0);
    }
  }

  @Test
  void eventsComeInOrderAndWaitForBuffers() throws Exception {
    try (var device = new InputDevice();
        var guest = new Attached(device, DriverPlan.SPLIT)) {
      assertThat(device.send(1, 30, 1)).isTrue();
      assertThat(device.send(0, 0, 0)).isTrue();
      guest.post(0, 8);
      assertThat(guest.receive(0)).containsExactly(1, 0, 30, 0, 1, 0, 0, 0);
      guest.post(0, 8);
      assertThat(guest.receive(0)).containsExactly(0, 0, 0, 0, 0, 0, 0, 0);
      guest.post(0, 8);
      assertThat(device.send(1, 300, -1)).isTrue();
      assertThat(guest.receive(0)).containsExactly(1, 0, 44, 1, -1, -1, -1, -1);
      guest.send(1, new byte[] {0x11, 0, 1, 0, 1, 0, 0, 0});
    }
  }
}
