package hawser.nbd.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.Extent;
import hawser.nbd.Command;
import hawser.nbd.CommandFlags;
import hawser.nbd.MetaContext;
import hawser.nbd.NbdUri.Place;
import hawser.nbd.ReplyStyle;
import hawser.nbd.client.Connector;
import hawser.nbd.client.Exchange;
import hawser.nbd.client.NbdClient;
import hawser.sys.SocketAddress;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Clients that begin long writes and stop hold all the memory there is and never more; others are
 * served all the same.
 */
class MemoryBoundTest {
  private static final int MIB = 1 << 20;
  private static final int SIZE = 40 * MIB;
  private static final int MOST = 32 * MIB;

  @TempDir Path temp;
  private final MemoryNode node =
      new MemoryNode(SIZE, false) {
        @Override
        public Extent extent(long offset, long length) {
          long end = Math.min(offset + length, (offset | 4095) + 1);
          Extent.Kind kind = (offset & 4096) == 0 ? Extent.Kind.DATA : Extent.Kind.UNALLOCATED;
          return Extent.of(offset, end - offset, kind);
        }
      };
  private final List<SocketChannel> dawdlers = new ArrayList<>();
  private NbdServer server;
  private Path socket;

  @BeforeEach
  void takeAllMemory() throws Exception {
    socket = temp.resolve("s");
    server = new NbdServer(ServerOptions.DEFAULT, ServerListener.NONE);
    server.add(Export.of("", node, true));
    server.listen(new SocketAddress.Unix(socket.toString()));
    for (int length : new int[] {MOST, MOST, 8 * MIB, 8 * MIB, MOST, 8 * MIB}) {
      dawdlers.add(dawdler(length));
    }
    assertThat(server.resources().buffers().lentBytes()).isEqualTo(BufferPool.BYTES_MAX);
    var content = new byte[SIZE];
    new Random(3).nextBytes(content);
    MemorySegment.copy(MemorySegment.ofArray(content), 0, node.memory, 0, SIZE);
  }

  @AfterEach
  void allIsGivenBack() throws Exception {
    for (SocketChannel dawdler : dawdlers) {
      dawdler.close();
    }
    server.stop();
    assertThat(server.resources().buffers().lentBytes()).isZero();
  }

  /** Begins a write and sends one MiB of it, which is more than sockets hold by themselves. */
  private SocketChannel dawdler(int length) throws Exception {
    var channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    channel.connect(UnixDomainSocketAddress.of(socket));
    ByteBuffer out = ByteBuffer.allocate(2 * MIB);
    out.putInt(3);
    out.putLong(0x49484156454F5054L).putInt(7).putInt(6).putInt(0).putShort((short) 0);
    out.putInt(0x25609513).putShort((short) 0).putShort((short) 1);
    out.putLong(1).putLong(0).putInt(length);
    out.position(out.position() + MIB).flip();
    while (out.hasRemaining()) {
      channel.write(out);
    }
    return channel;
  }

  private NbdClient client(ReplyStyle style) throws BlockFault {
    return new Connector(
            new Place.Unix(socket.toString()),
            "",
            List.of(MetaContext.BASE_ALLOCATION),
            style,
            null)
        .connect();
  }

  private static MemorySegment memory(int bytes) {
    return Arena.ofAuto().allocate(bytes, 8);
  }

  @ParameterizedTest
  @EnumSource
  void othersReadAndWriteMeanwhile(ReplyStyle style) throws BlockFault {
    try (NbdClient client = client(style)) {
      for (int bytes : new int[] {0, 4096, 256 << 10, (256 << 10) + 1, 3_333_333, MOST}) {
        MemorySegment seen = memory(bytes);
        client.call(new Exchange().read(seen, 77, 0));
        assertThat(seen.mismatch(node.memory.asSlice(77, bytes))).isEqualTo(-1);
        if (style != ReplyStyle.SIMPLE) {
          client.call(new Exchange().read(seen.fill((byte) 0), 78, CommandFlags.DF));
          assertThat(seen.mismatch(node.memory.asSlice(78, bytes))).isEqualTo(-1);
        }
        MemorySegment mine = memory(bytes).fill((byte) bytes);
        client.call(new Exchange().write(mine, MIB + 5, CommandFlags.FUA));
        assertThat(mine.mismatch(node.memory.asSlice(MIB + 5, bytes))).isEqualTo(-1);
      }
      client.call(new Exchange().other(Command.CACHE, 0, SIZE, 0));
      assertThat(server.resources().buffers().lentBytes()).isEqualTo(BufferPool.BYTES_MAX);
    }
  }

  @ParameterizedTest
  @EnumSource
  void manyRequestsAtOnceAreAllAnswered(ReplyStyle style) throws BlockFault {
    try (NbdClient client = client(style)) {
      List<Exchange> all = new ArrayList<>();
      for (int i = 0; i < 60; i++) {
        MemorySegment data = memory(600_000);
        all.add(
            i % 3 == 0
                ? new Exchange().other(Command.FLUSH, 0, 0, 0)
                : new Exchange().read(data, i, 0));
      }
      for (Exchange exchange : all) {
        client.submit(exchange);
      }
      for (Exchange exchange : all) {
        client.await(exchange);
        exchange.orFault();
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void errorsInTheMiddleAreTold(ReplyStyle style) throws BlockFault {
    node.badByte = 3 * MIB;
    try (NbdClient client = client(style)) {
      refused(client, new Exchange().write(memory(8 * MIB), MIB, 0), Errno.EIO);
      refused(client, new Exchange().read(memory(4096), 3 * MIB, 0), Errno.EIO);
      refused(client, new Exchange().other(Command.CACHE, 0, SIZE, 0), Errno.EIO);
      var half = new Exchange().read(memory(8 * MIB), MIB, 0);
      if (style == ReplyStyle.SIMPLE) {
        // What was begun as a success can only be ended with the connection.
        assertThatThrownBy(() -> client.call(half)).isInstanceOf(BlockFault.class);
        assertThat(half.lost()).isTrue();
      } else {
        refused(client, half, Errno.EIO);
        client.call(new Exchange().read(memory(4096), 0, 0));
      }
    }
  }

  private static void refused(NbdClient client, Exchange exchange, Errno errno) {
    assertThatThrownBy(() -> client.call(exchange))
        .isInstanceOfSatisfying(
            BlockFault.class, fault -> assertThat(fault.errno()).isEqualTo(errno));
  }

  @ParameterizedTest
  @EnumSource(names = {"STRUCTURED", "EXTENDED"})
  void statusTellsOfFewerExtents(ReplyStyle style) throws Exception {
    assertThat(extentsTold(style)).isEqualTo(256);
    for (SocketChannel dawdler : dawdlers) {
      dawdler.close();
    }
    while (server.resources().buffers().lentBytes() > 0) {
      Thread.onSpinWait();
    }
    assertThat(extentsTold(style)).isEqualTo(SIZE / 4096);
  }

  private long extentsTold(ReplyStyle style) throws BlockFault {
    var told = new ArrayList<Long>();
    try (NbdClient client = client(style)) {
      client.call(new Exchange().status(0, SIZE, 0, (id, length, flags) -> told.add(length)));
    }
    assertThat(told).containsOnly(4096L);
    return told.size();
  }

  @Test
  void whatIsKeptForReuseCountsAsWell() {
    var pool = new BufferPool();
    var share = new BufferPool.Share();
    pool.give(share, pool.take(share, 16 * MIB));
    Buffer large = pool.take(share, MOST);
    Buffer rest = pool.takeNow(share, 16 * MIB);
    assertThat(rest).isNotNull();
    assertThat(pool.takeNow(share, 1)).isNull();
    pool.give(share, rest);
    pool.give(share, large);
    assertThat(pool.lentBytes()).isZero();
  }
}
