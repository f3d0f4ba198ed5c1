package hawser.devices.console;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import hawser.devices.Attached;
import hawser.vhost.frontend.DriverPlan;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConsoleDeviceTest {
  private static final int RECEIVEQ = 0;
  private static final int TRANSMITQ = 1;
  private static final long FEATURES =
      DriverPlan.SPLIT | ConsoleDevice.SIZE | ConsoleDevice.EMERG_WRITE;

  @TempDir Path temp;

  private static byte[] ascii(String text) {
    return text.getBytes(US_ASCII);
  }

  private static String received(Attached guest) {
    return new String(guest.receive(RECEIVEQ), US_ASCII);
  }

  @Test
  void aTerminalProgramAndTheGuestTalk() throws Exception {
    PtyLine line = PtyLine.open();
    try (var device = new ConsoleDevice(line, 0, 0);
        var guest = new Attached(device, FEATURES);
        var screen = new FileInputStream(line.name());
        var keys = new FileOutputStream(line.name())) {
      guest.send(TRANSMITQ, ascii("login: \r\n"));
      assertThat(screen.readNBytes(9)).asString(US_ASCII).isEqualTo("login: \r\n");
      keys.write(ascii("root\n\003"));
      // It comes before there is a buffer for it, and is too long for the first.
      guest.post(RECEIVEQ, 4);
      assertThat(received(guest)).isEqualTo("root");
      guest.post(RECEIVEQ, 64);
      assertThat(received(guest)).isEqualTo("\n\003");
    }
  }

  @Test
  void guestsOutputThatNobodyReadsIsLostAndHoldsNothingUp() throws Exception {
    PtyLine line = PtyLine.open();
    try (var device = new ConsoleDevice(line, 0, 0);
        var guest = new Attached(device, FEATURES);
        var keys = new FileOutputStream(line.name())) {
      for (int i = 0; i < 8; i++) {
        guest.send(TRANSMITQ, new byte[16 << 10]);
      }
      keys.write('x');
      guest.post(RECEIVEQ, 4);
      assertThat(received(guest)).isEqualTo("x");
    }
  }

  @Test
  void clientsOfTheSocketComeAndGo() throws Exception {
    Path path = temp.resolve("console");
    try (var device = new ConsoleDevice(SocketLine.listen(path.toString()), 80, 25);
        var guest = new Attached(device, FEATURES)) {
      guest.send(TRANSMITQ, ascii("nobody hears this"));
      for (String name : new String[] {"first", "second"}) {
        try (var client = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
          client.write(ByteBuffer.wrap(ascii(name)));
          guest.post(RECEIVEQ, 64);
          assertThat(received(guest)).isEqualTo(name);
          guest.send(TRANSMITQ, ascii("hello " + name));
          var heard = ByteBuffer.allocate(("hello " + name).length());
          while (heard.hasRemaining()) {
            assertThat(client.read(heard)).isPositive();
          }
          assertThat(new String(heard.array(), US_ASCII)).isEqualTo("hello " + name);
        }
      }
    }
  }

  @Test
  void itsSizeIsToldAndAnEmergencyWriteIsHeard() throws Exception {
    PtyLine line = PtyLine.open();
    try (var device = new ConsoleDevice(line, 80, 25);
        var guest = new Attached(device, FEATURES);
        var screen = new FileInputStream(line.name())) {
      assertThat(guest.driver.features() & ConsoleDevice.SIZE).isNotZero();
      assertThat(guest.driver.frontEnd().getConfig(0, 12))
          .containsExactly(80, 0, 25, 0, 1, 0, 0, 0, 0, 0, 0, 0);
      guest.driver.frontEnd().setConfig(8, 0, new byte[] {'!', 0, 0, 0});
      assertThat(screen.read()).isEqualTo('!');
    }
  }

  @Test
  void withoutASizeNoneIsOffered() throws Exception {
    try (var device = new ConsoleDevice(PtyLine.open(), 0, 0)) {
      assertThat(device.features() & ConsoleDevice.SIZE).isZero();
    }
  }
}
