package hawser.devices.vsock;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.devices.vsock.VsockGuest.Packet;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VsockDeviceTest {
  private static final int GUEST_PORT = 40_000;
  private static final int HOST_PORT = 1024;
  private static final int ROOM = VsockOptions.ROOM_MIN;

  @TempDir Path temp;
  private Path socket;

  @BeforeEach
  void name() {
    socket = temp.resolve("v");
  }

  private VsockDevice device() throws Exception {
    return VsockDevice.listen(new VsockOptions(VsockGuest.CID, socket.toString(), ROOM));
  }

  private ServerSocketChannel server(int port) throws IOException {
    var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    return server.bind(UnixDomainSocketAddress.of(socket + "_" + port));
  }

  private SocketChannel caller(String line) throws IOException {
    var caller = SocketChannel.open(UnixDomainSocketAddress.of(socket));
    caller.write(ByteBuffer.wrap(line.getBytes(US_ASCII)));
    return caller;
  }

  private static String read(SocketChannel from, int bytes) throws IOException {
    var buffer = ByteBuffer.allocate(bytes);
    while (buffer.hasRemaining() && from.read(buffer) >= 0) {}
    return new String(buffer.array(), 0, buffer.position(), US_ASCII);
  }

  /** The guest connects to a server of the host's. */
  private static SocketChannel connect(VsockGuest guest, ServerSocketChannel server)
      throws IOException {
    guest.send(Op.REQUEST, GUEST_PORT, HOST_PORT, 0);
    Header answer = guest.receive(Op.RESPONSE).header();
    assertThat(answer.sourcePort()).isEqualTo(HOST_PORT);
    assertThat(answer.destinationPort()).isEqualTo(GUEST_PORT);
    assertThat(answer.bufAlloc()).isEqualTo(ROOM);
    return server.accept();
  }

  @Test
  void aGuestsConnectionReachesTheSocketOfItsPort() throws Exception {
    try (var device = device();
        var guest = new VsockGuest(device);
        var server = server(HOST_PORT);
        var host = connect(guest, server)) {
      guest.say(GUEST_PORT, HOST_PORT, "hello".getBytes(US_ASCII));
      assertThat(read(host, 5)).isEqualTo("hello");
      host.write(ByteBuffer.wrap("world".getBytes(US_ASCII)));
      Packet packet = guest.receive(Op.RW);
      assertThat(packet.payload()).asString(US_ASCII).isEqualTo("world");
      assertThat(packet.header().fwdCnt()).as("what the socket has taken").isEqualTo(5);
      guest.send(Op.SHUTDOWN, GUEST_PORT, HOST_PORT, Op.SHUTDOWN_BOTH);
      guest.receive(Op.RST);
      assertThat(read(host, 1)).isEmpty();
    }
  }

  @Test
  void somebodyOnTheHostReachesThePortHeNames() throws Exception {
    try (var device = device();
        var guest = new VsockGuest(device);
        var host = caller("CONNECT 52\nand more")) {
      Header request = guest.receive(Op.REQUEST).header();
      assertThat(request.sourceCid()).isEqualTo(Header.HOST_CID);
      assertThat(request.destinationPort()).isEqualTo(52);
      guest.send(Op.RESPONSE, 52, request.sourcePort(), 0);
      String answer = "OK " + request.sourcePort() + "\n";
      assertThat(read(host, answer.length())).isEqualTo(answer);
      assertThat(guest.receive(Op.RW).payload()).asString(US_ASCII).isEqualTo("and more");
      host.shutdownOutput();
      assertThat(guest.receive(Op.SHUTDOWN).header().flags()).isEqualTo(Op.SHUTDOWN_SEND);
      guest.say(52, request.sourcePort(), "bye".getBytes(US_ASCII));
      assertThat(read(host, 3)).isEqualTo("bye");
      host.close();
      assertThat(guest.receive(Op.SHUTDOWN).header().flags()).isEqualTo(Op.SHUTDOWN_BOTH);
    }
  }

  @Test
  void whoeverCannotBeReachedIsRefused() throws Exception {
    try (var device = device();
        var guest = new VsockGuest(device)) {
      guest.send(Op.REQUEST, GUEST_PORT, 9, 0);
      assertThat(guest.receive(Op.RST).header().sourcePort()).isEqualTo(9);
      try (var host = caller("CONNECT 52\n")) {
        int port = guest.receive(Op.REQUEST).header().sourcePort();
        guest.send(Op.RST, 52, port, 0);
        assertThat(read(host, 1)).isEmpty();
      }
      for (String line : new String[] {"HELLO 52\n", "CONNECT -1\n", "CONNECT " + "9".repeat(99)}) {
        try (var host = caller(line)) {
          assertThat(host.read(ByteBuffer.allocate(1))).as(line).isEqualTo(-1);
        } catch (IOException reset) {
          assertThat(reset).as(line).hasMessageContaining("reset");
        }
      }
    }
  }

  @Test
  void theGuestLearnsOfRoomWhenTheSocketHasTakenWhatItSent() throws Exception {
    var sent = new byte[1 << 20];
    new Random(1).nextBytes(sent);
    try (var device = device();
        var guest = new VsockGuest(device);
        var server = server(HOST_PORT);
        var host = connect(guest, server)) {
      // Nobody reads: the socket's own buffer fills, then ours, then the credit is used up.
      int at = 0;
      int forwarded = 0;
      while (at - forwarded + 1024 <= ROOM && at < sent.length) {
        guest.say(GUEST_PORT, HOST_PORT, Arrays.copyOfRange(sent, at, at + 1024));
        at += 1024;
        while (guest.attached.ready(VsockGuest.RX)) {
          forwarded = guest.receive(Op.CREDIT_UPDATE).header().fwdCnt();
        }
      }
      assertThat(at).as("it came to an end").isLessThan(sent.length);
      var received = ByteBuffer.allocate(at);
      while (received.hasRemaining()) {
        host.read(received);
      }
      assertThat(received.array()).isEqualTo(Arrays.copyOf(sent, at));
      while (forwarded < at) {
        forwarded = guest.receive(Op.CREDIT_UPDATE).header().fwdCnt();
        if (at - forwarded < ROOM / 2) {
          break;
        }
      }
      guest.send(Op.CREDIT_REQUEST, GUEST_PORT, HOST_PORT, 0);
      assertThat(guest.receive(Op.CREDIT_UPDATE).header().fwdCnt()).isEqualTo(at);
    }
  }

  @Test
  void noMoreIsSentThanTheGuestHasRoomFor() throws Exception {
    var sent = new byte[10_000];
    new Random(2).nextBytes(sent);
    try (var device = device();
        var guest = new VsockGuest(device);
        var server = server(HOST_PORT)) {
      guest.room = 3000;
      try (var host = connect(guest, server)) {
        host.write(ByteBuffer.wrap(sent));
        var received = new ByteArrayOutputStream();
        while (received.size() < sent.length) {
          Packet packet = guest.receive();
          if (packet.op() == Op.CREDIT_REQUEST) {
            assertThat(received.size()).isEqualTo(guest.forwarded + guest.room);
            guest.forwarded = received.size();
            guest.send(Op.CREDIT_UPDATE, GUEST_PORT, HOST_PORT, 0);
          } else {
            assertThat(packet.op()).isEqualTo(Op.RW);
            received.writeBytes(packet.payload());
            assertThat(received.size()).isLessThanOrEqualTo(guest.forwarded + guest.room);
          }
        }
        assertThat(received.toByteArray()).isEqualTo(sent);
      }
    }
  }

  @Test
  void whatIsAgainstTheRulesEndsOnlyThatConnection() throws Exception {
    try (var device = device();
        var guest = new VsockGuest(device);
        var server = server(HOST_PORT);
        var host = connect(guest, server)) {
      // For nobody, or from somebody else: no answer.
      guest.send(
          new Header(9, 2, GUEST_PORT, HOST_PORT, 0, 1, Op.RST.number, 0, 0, 0), new byte[0]);
      guest.send(Op.RST, GUEST_PORT + 1, HOST_PORT, 0);
      // To another guest, of another type, of an unknown operation, of no connection.
      for (Header wrong :
          new Header[] {
            new Header(VsockGuest.CID, 77, 1, 2, 0, 1, 1, 0, 0, 0),
            new Header(VsockGuest.CID, 2, 1, 2, 0, 7, 1, 0, 0, 0),
            new Header(VsockGuest.CID, 2, 1, 2, 0, 1, 99, 0, 0, 0),
            new Header(VsockGuest.CID, 2, 1, 2, 0, 1, Op.RW.number, 0, 0, 0)
          }) {
        guest.send(wrong, new byte[0]);
        Header answer = guest.receive(Op.RST).header();
        assertThat(answer.sourceCid()).isEqualTo(wrong.destinationCid());
        assertThat(answer.destinationPort()).isEqualTo(1);
      }
      guest.say(GUEST_PORT, HOST_PORT, "still".getBytes(US_ASCII));
      assertThat(read(host, 5)).isEqualTo("still");
      guest.say(GUEST_PORT, HOST_PORT, new byte[ROOM + 1]);
      guest.receive(Op.RST);
      assertThat(read(host, 1)).isEmpty();
    }
  }

  @Test
  void aPacketThatLiesAboutItsLengthBreaksItsQueue() throws Exception {
    try (var device = device()) {
      var guest = new VsockGuest(device);
      var wrong = new byte[Header.BYTES];
      guest.header(Op.RW, 1, 2, 1, 0).write(java.lang.foreign.MemorySegment.ofArray(wrong));
      var queue = guest.attached.driver.queue(VsockGuest.TX);
      long address = guest.attached.driver.ram().allocate(wrong.length, 8);
      guest
          .attached
          .driver
          .ram()
          .at(address, wrong.length)
          .copyFrom(java.lang.foreign.MemorySegment.ofArray(wrong));
      queue.begin();
      queue.readable(address, wrong.length);
      queue.add();
      queue.submit();
      assertThat(guest.attached.complaint())
          .isEqualTo("vsock: length of a packet is 1, and 0 bytes follow");
      guest.attached.driver.stop();
      assertThat(guest.attached.log).isEmpty();
      guest.close();
    }
  }

  @Test
  void connectionsEndWithTheGuest() throws Exception {
    try (var device = device();
        var server = server(HOST_PORT)) {
      SocketChannel host;
      try (var guest = new VsockGuest(device)) {
        host = connect(guest, server);
      }
      assertThat(read(host, 1)).isEmpty();
      host.close();
      try (var guest = new VsockGuest(device);
          var again = connect(guest, server)) {
        assertThat(again.isConnected()).isTrue();
      }
    }
  }

  @Test
  void aGuestThatHasMigratedHearsThatItsConnectionsAreGone() throws Exception {
    var state = new ByteArrayOutputStream();
    try (var device = device();
        var server = server(HOST_PORT);
        var guest = new VsockGuest(device);
        var host = connect(guest, server)) {
      assertThat(host.isConnected()).isTrue();
      guest.attached.driver.stop();
      device.save(state);
    }
    socket = temp.resolve("successor");
    try (var device = device();
        var guest = new VsockGuest(device)) {
      device.load(new ByteArrayInputStream(state.toByteArray()));
      Header reset = guest.receive(Op.RST).header();
      assertThat(reset.sourcePort()).isEqualTo(HOST_PORT);
      assertThat(reset.destinationPort()).isEqualTo(GUEST_PORT);
      guest.attached.post(VsockGuest.EVENTS, 8);
      assertThat(guest.attached.receive(VsockGuest.EVENTS)).isEqualTo(new byte[4]);
    }
  }

  @Test
  void aBrokenStateIsRefused() throws Exception {
    var state = new ByteArrayOutputStream();
    SavedStreams.write(java.util.List.of(new int[] {1, 2}, new int[] {3, 4}), state);
    byte[] good = state.toByteArray();
    try (var device = device()) {
      device.load(new ByteArrayInputStream(good));
      for (int length = 0; length < good.length; length++) {
        var cut = new ByteArrayInputStream(good, 0, length);
        assertThatThrownBy(() -> device.load(cut)).isInstanceOf(IOException.class);
      }
      for (int bit = 0; bit < good.length * 8; bit++) {
        byte[] flipped = good.clone();
        flipped[bit / 8] ^= (byte) (1 << bit % 8);
        assertThatThrownBy(() -> device.load(new ByteArrayInputStream(flipped)))
            .isInstanceOf(IOException.class);
      }
    }
  }

  @Test
  void manyTalkAtOnce() throws Exception {
    try (var device = device();
        var guest = new VsockGuest(device);
        var server = server(HOST_PORT)) {
      var hosts = new SocketChannel[50];
      for (int i = 0; i < hosts.length; i++) {
        guest.send(Op.REQUEST, GUEST_PORT + i, HOST_PORT, 0);
        guest.receive(Op.RESPONSE);
        hosts[i] = server.accept();
      }
      for (int i = 0; i < hosts.length; i++) {
        guest.say(GUEST_PORT + i, HOST_PORT, new byte[] {(byte) i});
      }
      for (int i = 0; i < hosts.length; i++) {
        assertThat(Channels.newInputStream(hosts[i]).read()).isEqualTo(i);
        hosts[i].close();
      }
      for (int i = 0; i < hosts.length; i++) {
        guest.receive(Op.SHUTDOWN);
      }
    }
  }
}
