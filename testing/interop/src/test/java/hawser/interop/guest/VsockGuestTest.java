package hawser.interop.guest;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A Linux guest and its host talk over VM sockets. */
class VsockGuestTest {
  private static final int BYTES = 3 << 20;

  @TempDir Path folder;

  private static final int PORT = 1024;

  private SocketChannel connect() throws IOException {
    var socket = SocketChannel.open(UnixDomainSocketAddress.of(folder.resolve("v")));
    socket.write(ByteBuffer.wrap("CONNECT %d\n".formatted(PORT).getBytes(US_ASCII)));
    return socket;
  }

  private static String line(SocketChannel socket) throws IOException {
    var line = new StringBuilder();
    var one = ByteBuffer.allocate(1);
    while (socket.read(one.clear()) == 1 && one.get(0) != '\n') {
      line.append((char) one.get(0));
    }
    return line.toString();
  }

  /** Says everything, which both sides' credit lets through only while somebody listens. */
  private static Thread speaker(SocketChannel socket, byte[] bytes) {
    return Thread.ofPlatform()
        .start(
            () -> {
              try {
                var left = ByteBuffer.wrap(bytes);
                while (left.hasRemaining()) {
                  socket.write(left);
                }
                socket.shutdownOutput();
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
  }

  private static byte[] all(SocketChannel socket, int most) throws IOException {
    var bytes = ByteBuffer.allocate(most);
    while (socket.read(bytes) > 0) {}
    var found = new byte[bytes.position()];
    bytes.get(0, found);
    return found;
  }

  @Test
  void bothConnectAndLotsGoesBothWays() throws Exception {
    Path socket = folder.resolve("s");
    try (Peer backEnd =
            Side.HAWSER
                .start(
                    "vhost-user-vsock",
                    "--socket-path=" + socket,
                    "--guest-cid=7",
                    "--uds-path=" + folder.resolve("v"))
                .awaitSocket(socket);
        Machine guest =
            Machine.boot(
                folder.resolve("guest"),
                "-chardev",
                "socket,id=vsock,path=" + socket,
                "-device",
                "vhost-user-vsock-pci,chardev=vsock")) {
      guest.run("(vsock echo %d >/tmp/echo 2>&1 &)".formatted(PORT)).ok();
      guest.run("until grep -q . /tmp/echo; do usleep 50000; done; cat /tmp/echo").ok();
      hostToGuest();
      guestToHost(guest);
      assertThat(guest.run("vsock call 999 </dev/null 2>&1").out()).contains("reset by peer");
      pauseKeepsConnections(guest);
      guest.execute("quit", "{}");
      assertThat(backEnd.terminate()).as(backEnd.err()).isZero();
    }
    assertThat(folder.resolve("v")).doesNotExist();
  }

  private void hostToGuest() throws Exception {
    var said = new byte[BYTES];
    new Random(3).nextBytes(said);
    try (var socket = connect()) {
      assertThat(line(socket)).startsWith("OK ");
      Thread speaker = speaker(socket, said);
      assertThat(all(socket, BYTES + 1)).isEqualTo(said);
      speaker.join();
    }
    // The other end is socat's, which speaks the same greeting as any client.
    Ran client =
        Peers.run(
            "sh",
            "-c",
            "(printf 'CONNECT %d\\nhello\\n'; cat /dev/null) | socat -t 10 - UNIX-CONNECT:%s"
                .formatted(PORT, folder.resolve("v")));
    assertThat(client.ok().out()).matches("OK \\d+\nhello\n");
  }

  private void guestToHost(Machine guest) throws Exception {
    var address = UnixDomainSocketAddress.of(folder.resolve("v_" + PORT));
    try (var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(address)) {
      guest.run("dd if=/dev/urandom of=/tmp/said bs=64k count=16 2>/dev/null").ok();
      guest.run("(vsock call %d </tmp/said >/tmp/heard; echo $? >/tmp/called) &".formatted(PORT));
      byte[] heard;
      try (var socket = server.accept()) {
        heard = all(socket, BYTES);
        assertThat(heard).hasSize(1 << 20);
        Thread speaker = speaker(socket, heard);
        speaker.join();
      }
      guest.run("until [ -s /tmp/called ]; do usleep 50000; done; cmp /tmp/said /tmp/heard").ok();
      assertThat(guest.run("cat /tmp/called").out().strip()).isEqualTo("0");
    }
  }

  private void pauseKeepsConnections(Machine guest) throws Exception {
    try (var socket = connect()) {
      assertThat(line(socket)).startsWith("OK ");
      guest.execute("stop", "{}");
      socket.write(ByteBuffer.wrap("after\n".getBytes(US_ASCII)));
      guest.execute("cont", "{}");
      assertThat(line(socket)).isEqualTo("after");
    }
  }
}
