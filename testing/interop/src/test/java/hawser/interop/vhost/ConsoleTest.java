package hawser.interop.vhost;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Side;
import hawser.vhost.frontend.Driver;
import hawser.vhost.frontend.DriverPlan;
import hawser.vhost.frontend.DriverQueue;
import hawser.vhost.frontend.GuestRam;
import hawser.vhost.frontend.Sockets;
import java.io.FileInputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The console program, driven by our front-end: QEMU 10 has none for it. */
class ConsoleTest {
  private static final int TRANSMITQ = 1;
  private static final DriverPlan PLAN = DriverPlan.of(DriverPlan.SPLIT).withQueues(2, 16, 0);

  @TempDir Path temp;

  private static void transmit(Driver guest, String text) {
    byte[] bytes = text.getBytes(US_ASCII);
    long address = guest.ram().allocate(bytes.length, 8);
    guest.ram().at(address, bytes.length).copyFrom(MemorySegment.ofArray(bytes));
    DriverQueue queue = guest.queue(TRANSMITQ);
    queue.begin();
    queue.readable(address, bytes.length);
    int id = queue.add();
    queue.submit();
    assertThat(queue.await(60_000)).isTrue();
    assertThat(queue.take()).isEqualTo(id);
  }

  @Test
  void thePtyThatIsPrintedIsTheGuestsConsole() throws Exception {
    Path socket = temp.resolve("s");
    try (Peer backEnd =
        Side.HAWSER.start("vhost-user-console", "--socket-path=" + socket, "--pty")) {
      backEnd.awaitSocket(socket).awaitText("\n");
      try (GuestRam ram = GuestRam.of(1 << 20);
          Driver guest = Driver.start(Sockets.connect(socket), ram, PLAN);
          var screen = new FileInputStream(backEnd.out().strip())) {
        transmit(guest, "hello\r\n");
        assertThat(screen.readNBytes(7)).asString(US_ASCII).isEqualTo("hello\r\n");
      }
      assertThat(backEnd.terminate()).as(backEnd.err()).isZero();
    }
    assertThat(socket).doesNotExist();
  }

  @Test
  void theConsolesSocketIsGoneAfterwards() {
    Path socket = temp.resolve("s");
    Path console = temp.resolve("console");
    try (Peer backEnd =
        Side.HAWSER.start(
            "vhost-user-console", "--socket-path=" + socket, "--console-socket=" + console)) {
      backEnd.awaitSocket(console).awaitSocket(socket);
      assertThat(backEnd.terminate()).as(backEnd.err()).isZero();
    }
    assertThat(console).doesNotExist();
  }
}
