package hawser.nbd.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.nbd.Command;
import hawser.nbd.CommandFlags;
import hawser.nbd.MetaContext;
import hawser.nbd.NbdUri.Place;
import hawser.nbd.ReplyStyle;
import hawser.nbd.client.Connector;
import hawser.nbd.client.Exchange;
import hawser.nbd.client.NbdClient;
import hawser.nbd.client.NbdDriver;
import hawser.sys.SocketAddress;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ServerTest {
  private static final int SIZE = 1 << 20;

  @TempDir Path temp;
  private final MemoryNode node = new MemoryNode(SIZE, true);
  private final BlockingQueue<String> gone = new LinkedBlockingQueue<>();
  private final BlockingQueue<Runnable> deadlines = new ArrayBlockingQueue<>(10_000);
  private NbdServer server;
  private Path socket;

  /** A clock that stands still until the test says that time is up. */
  private final class Standing implements Deadlines {
    @Override
    public Pending after(Duration delay, Runnable action) {
      deadlines.add(action);
      return () -> deadlines.remove(action);
    }

    @Override
    public void close() {
      deadlines.clear();
    }
  }

  @BeforeEach
  void start() throws BlockFault {
    new Random(1).nextBytes(new byte[0]);
    var bytes = new byte[SIZE / 2];
    new Random(1).nextBytes(bytes);
    MemorySegment.copy(MemorySegment.ofArray(bytes), 0, node.memory, 0, bytes.length);
    socket = temp.resolve("s");
    server =
        new NbdServer(
            ServerOptions.DEFAULT,
            new ServerListener() {
              @Override
              public void clientGone(ClientInfo client, String why) {
                gone.add(why);
              }
            },
            new Standing());
    server.add(new Export("", "text", node, true, true, true, List.of(), false));
    server.listen(new SocketAddress.Unix(socket.toString()));
  }

  @AfterEach
  void stop() throws BlockFault {
    node.gate.countDown();
    server.stop();
    assertThat(server.clients()).isZero();
  }

  private NbdClient client(ReplyStyle style) throws BlockFault {
    return new Connector(
            new Place.Unix(socket.toString()),
            "",
            List.of(MetaContext.BASE_ALLOCATION, MetaContext.QEMU_ALLOCATION_DEPTH),
            style,
            null)
        .connect();
  }

  private static MemorySegment memory(int bytes) {
    return Arena.ofAuto().allocate(bytes, 8);
  }

  @ParameterizedTest
  @EnumSource
  void everyCommandWorksInEveryStyle(ReplyStyle style) throws BlockFault {
    try (NbdClient client = client(style)) {
      assertThat(client.server().style()).isEqualTo(style);
      MemorySegment data = memory(300_000);
      client.call(new Exchange().read(data, 100, 0));
      assertThat(data.mismatch(node.memory.asSlice(100, 300_000))).isEqualTo(-1);
      MemorySegment zero = memory(65536).fill((byte) 7);
      client.call(new Exchange().read(zero, SIZE - 65536, 0));
      assertThat(zero.mismatch(memory(65536))).isEqualTo(-1);
      for (int bytes : new int[] {1, 4096, 65536, 65537, 300_000}) {
        MemorySegment mine = memory(bytes).fill((byte) bytes);
        client.call(new Exchange().write(mine, 12345, CommandFlags.FUA));
        assertThat(mine.mismatch(node.memory.asSlice(12345, bytes))).isEqualTo(-1);
      }
      client.call(new Exchange().other(Command.WRITE_ZEROES, 1000, 5000, CommandFlags.NO_HOLE));
      assertThat(node.memory.asSlice(1000, 5000).mismatch(memory(5000))).isEqualTo(-1);
      client.call(new Exchange().other(Command.TRIM, 0, 4096, 0));
      client.call(new Exchange().other(Command.CACHE, 0, SIZE, 0));
      int before = node.flushes.get();
      client.call(new Exchange().other(Command.FLUSH, 0, 0, 0));
      assertThat(node.flushes.get()).isEqualTo(before + 1);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"STRUCTURED", "EXTENDED"})
  void statusTellsOfEveryContext(ReplyStyle style) throws BlockFault {
    try (NbdClient client = client(style)) {
      var told = new ArrayList<String>();
      client.call(
          new Exchange()
              .status(
                  0, SIZE, 0, (id, length, flags) -> told.add(id + ":" + length + ":" + flags)));
      assertThat(told).containsExactly("0:524288:0", "0:524288:3", "1:524288:1", "1:524288:0");
      told.clear();
      client.call(
          new Exchange()
              .status(
                  600_000,
                  SIZE - 600_000,
                  CommandFlags.REQ_ONE,
                  (id, length, flags) -> told.add(id + ":" + flags)));
      assertThat(told).containsExactly("0:3", "1:0");
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatMakesNoSenseIsRefusedAndTheConnectionGoesOn(ReplyStyle style) throws BlockFault {
    try (NbdClient client = client(style)) {
      refused(client, new Exchange().read(memory(4096), SIZE - 4095, 0), Errno.EINVAL);
      refused(client, new Exchange().write(memory(4096), SIZE - 4095, 0), Errno.ENOSPC);
      refused(client, new Exchange().write(memory(100_000), Long.MAX_VALUE, 0), Errno.ENOSPC);
      refused(client, new Exchange().other(Command.TRIM, -1, 10, 0), Errno.EINVAL);
      refused(client, new Exchange().other(Command.WRITE_ZEROES, SIZE, 1, 0), Errno.ENOSPC);
      refused(client, new Exchange().other(Command.FLUSH, 0, 0, 1 << 9), Errno.EINVAL);
      client.call(new Exchange().read(memory(512), 0, 0));
    }
  }

  private static void refused(NbdClient client, Exchange exchange, Errno errno) {
    assertThatThrownBy(() -> client.call(exchange))
        .isInstanceOfSatisfying(
            BlockFault.class, fault -> assertThat(fault.errno()).isEqualTo(errno));
  }

  @Test
  void aSlowRequestDelaysNoOther() throws Exception {
    node.gate = new CountDownLatch(1);
    try (NbdClient client = client(ReplyStyle.STRUCTURED)) {
      var slow = new Exchange().read(memory(4096), MemoryNode.SLOW, 0);
      client.submit(slow);
      for (int i = 0; i < 200; i++) {
        client.call(new Exchange().read(memory(4096), 65536, 0));
      }
      client.call(new Exchange().other(Command.FLUSH, 0, 0, 0));
      refused(client, new Exchange().read(memory(512), 8192, 0), Errno.EIO);
      assertThat(slow.isDone()).isFalse();
      node.gate.countDown();
      client.await(slow);
      slow.orFault();
    }
  }

  @Test
  void manyThreadsShareAConnection() throws Exception {
    try (NbdClient client = client(ReplyStyle.EXTENDED)) {
      var faults = new LinkedBlockingQueue<Throwable>();
      var threads = new ArrayList<Thread>();
      for (int t = 0; t < 8; t++) {
        long at = t * 65536L;
        threads.add(
            Thread.ofPlatform()
                .uncaughtExceptionHandler((thread, e) -> faults.add(e))
                .start(() -> hammer(client, at)));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertThat(faults).isEmpty();
    }
  }

  private static void hammer(NbdClient client, long at) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment mine = arena.allocate(32768, 8);
      MemorySegment back = arena.allocate(32768, 8);
      for (int i = 1; i <= 100; i++) {
        mine.fill((byte) i);
        client.call(new Exchange().write(mine, at, 0));
        client.call(new Exchange().read(back, at, 0));
        assertThat(back.mismatch(mine)).isEqualTo(-1);
      }
    } catch (BlockFault e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void theBlockNodeReadsWritesAndTells() throws BlockFault {
    var opener = new Opener(OpenPolicy.NOTHING, new NbdDriver());
    try (BlockNode disk = opener.open("nbd+unix:///?socket=" + socket, "raw", OpenMode.WRITE)) {
      assertThat(disk.length()).isEqualTo(SIZE);
      assertThat(disk.extent(0, SIZE).length()).isEqualTo(SIZE / 2);
      assertThat(disk.extent(SIZE / 2, SIZE / 2).kind().zero()).isTrue();
      MemorySegment data = memory(8192).fill((byte) 9);
      disk.write(data, 3, BlockNode.FUA);
      MemorySegment back = memory(8192);
      disk.read(back, 3);
      assertThat(back.mismatch(data)).isEqualTo(-1);
    }
  }

  @Test
  void aClientThatDawdlesIsSentAway() throws Exception {
    try (SocketChannel dawdler = raw()) {
      Runnable timeIsUp = deadlines.take();
      timeIsUp.run();
      assertThat(gone.take()).isEqualTo("handshake took too long");
      drain(dawdler);
    }
    try (NbdClient client = client(ReplyStyle.SIMPLE)) {
      client.call(new Exchange().read(memory(512), 0, 0));
    }
    assertThat(deadlines).isEmpty();
  }

  private SocketChannel raw() throws IOException {
    var channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    channel.connect(UnixDomainSocketAddress.of(socket));
    return channel;
  }

  /** Reads until the server ends the connection. */
  private static int drain(SocketChannel channel) {
    int bytes = 0;
    try {
      ByteBuffer sink = ByteBuffer.allocate(65536);
      for (int count = channel.read(sink); count >= 0; count = channel.read(sink.clear())) {
        bytes += count;
      }
    } catch (IOException e) {
      return bytes;
    }
    return bytes;
  }

  private static byte[] session() {
    ByteBuffer out = ByteBuffer.allocate(20_000);
    out.putInt(3);
    out.putLong(0x49484156454F5054L).putInt(99).putInt(3).put(new byte[3]);
    out.putLong(0x49484156454F5054L).putInt(8).putInt(0);
    out.putLong(0x49484156454F5054L).putInt(3).putInt(0);
    out.putLong(0x49484156454F5054L).putInt(10).putInt(27);
    out.putInt(0)
        .putInt(1)
        .putInt(15)
        .put("base:allocation".getBytes(java.nio.charset.StandardCharsets.UTF_8));
    out.putLong(0x49484156454F5054L)
        .putInt(7)
        .putInt(8)
        .putInt(0)
        .putShort((short) 1)
        .putShort((short) 3);
    request(out, 0, 1, 0, 512);
    request(out, 1, 2, 0, 16);
    out.put(new byte[16]);
    request(out, 7, 3, 0, 4096);
    request(out, 3, 4, 0, 0);
    request(out, 77, 5, 0, 0);
    byte[] bytes = new byte[out.flip().remaining()];
    out.get(bytes);
    return bytes;
  }

  private static void request(ByteBuffer out, int type, long cookie, long offset, int length) {
    out.putInt(0x25609513).putShort((short) 0).putShort((short) type);
    out.putLong(cookie).putLong(offset).putInt(length);
  }

  @Test
  void aClientMayGoAtEveryByte() throws Exception {
    byte[] session = session();
    try (NbdClient other = client(ReplyStyle.STRUCTURED)) {
      for (int length = 0; length <= session.length; length++) {
        try (SocketChannel channel = raw()) {
          channel.write(ByteBuffer.wrap(session, 0, length));
          channel.shutdownOutput();
          drain(channel);
        }
        assertThat(gone.take()).isNotEmpty();
        other.call(new Exchange().read(memory(512), 0, 0));
      }
    }
    assertThat(gone.take()).isEqualTo("client disconnected");
    assertThat(server.resources().buffers().lentBytes()).isZero();
  }

  @Test
  void noiseEndsOneConnectionOnly() throws Exception {
    long seed = System.nanoTime();
    var dice = new Random(seed);
    byte[] session = session();
    for (int round = 0; round < 300; round++) {
      byte[] noisy = session.clone();
      for (int i = 0; i < 1 + dice.nextInt(4); i++) {
        noisy[dice.nextInt(noisy.length)] = (byte) dice.nextInt();
      }
      try (SocketChannel channel = raw()) {
        channel.write(ByteBuffer.wrap(noisy));
        channel.shutdownOutput();
        drain(channel);
      }
      assertThat(gone.take()).as("seed " + seed).isNotEmpty();
    }
    try (NbdClient client = client(ReplyStyle.STRUCTURED)) {
      client.call(new Exchange().read(memory(512), 0, 0));
    }
    assertThat(server.resources().buffers().lentBytes()).isZero();
  }

  @Test
  void aHugePayloadIsNotWaitedFor() throws Exception {
    ByteBuffer out = ByteBuffer.allocate(200);
    out.putInt(3);
    out.putLong(0x49484156454F5054L).putInt(7).putInt(6).putInt(0).putShort((short) 0);
    request(out, 1, 2, 0, -1);
    try (SocketChannel channel = raw()) {
      channel.write(out.flip());
      drain(channel);
      assertThat(gone.take()).contains("payload of 4294967295 bytes");
    }
  }

  @Test
  void aFloodOfOptionsEnds() throws Exception {
    try (SocketChannel channel = raw()) {
      ByteBuffer out = ByteBuffer.allocate(4 + 16 * 5000);
      out.putInt(3);
      for (int i = 0; i < 5000; i++) {
        out.putLong(0x49484156454F5054L).putInt(1000 + i).putInt(0);
      }
      out.flip();
      var writer =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      while (out.hasRemaining()) {
                        channel.write(out);
                      }
                    } catch (IOException e) {
                      assertThat(e).isNotNull();
                    }
                  });
      drain(channel);
      assertThat(gone.take()).contains("more than 4096 options");
      writer.join();
    }
  }

  @Test
  void removingAnExportEndsItsClients() throws Exception {
    NbdClient client = client(ReplyStyle.SIMPLE);
    server.remove("");
    assertThat(gone.take()).isNotEmpty();
    assertThatThrownBy(() -> client.call(new Exchange().read(memory(512), 0, 0)))
        .isInstanceOf(BlockFault.class);
    client.close();
    assertThatThrownBy(() -> client(ReplyStyle.SIMPLE))
        .hasMessageContaining("Requested export not available");
  }
}
