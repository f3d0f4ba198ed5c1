package hawser.nbd.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.nbd.BlockSizes;
import hawser.nbd.MetaContext;
import hawser.nbd.ReplyStyle;
import hawser.nbd.transport.Transport;
import hawser.sys.MessageHeader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What hostile servers send is refused before it is believed. */
class ReplyReaderTest {
  private static final int LENGTH = 4096;

  /** Bytes that a server sent, in pieces of any size. */
  private static final class Script implements Transport {
    private final MemorySegment bytes;
    private final int step;
    private long at;

    Script(byte[] all, int step) {
      this.step = step;
      bytes = Arena.ofAuto().allocate(Math.max(1, all.length), 8).asSlice(0, all.length);
      MemorySegment.copy(MemorySegment.ofArray(all), 0, bytes, 0, all.length);
    }

    @Override
    public long receive(MemorySegment into) {
      long count = Math.min(step, Math.min(into.byteSize(), bytes.byteSize() - at));
      MemorySegment.copy(bytes, at, into, 0, count);
      at += count;
      return count;
    }

    @Override
    public void send(MemorySegment from) {}

    @Override
    public void send(MessageHeader message) {
      message.pieces().clear();
    }

    @Override
    public void shutdown() {}

    @Override
    public void close() {}
  }

  private static byte[] bytes(Consumer<ByteBuffer> fields) {
    ByteBuffer out = ByteBuffer.allocate(20_000);
    fields.accept(out);
    byte[] all = new byte[out.flip().remaining()];
    out.get(all);
    return all;
  }

  private static ByteBuffer chunk(ByteBuffer out, int flags, int type, int length) {
    return out.putInt(0x668e33ef)
        .putShort((short) flags)
        .putShort((short) type)
        .putLong(COOKIE)
        .putInt(length);
  }

  /** The cookie of a client's first request. */
  private static final long COOKIE = 1L << 8;

  private static ServerInfo server(ReplyStyle style) {
    return new ServerInfo(
        "newstyle-fixed",
        false,
        style,
        "",
        "",
        1 << 20,
        1,
        BlockSizes.DEFAULT,
        true,
        List.of(new MetaContext(5, MetaContext.BASE_ALLOCATION)));
  }

  private static MemorySegment read(byte[] script, int step) throws BlockFault {
    MemorySegment data = Arena.ofAuto().allocate(LENGTH, 8).fill((byte) 1);
    try (var client = new NbdClient(new Script(script, step), server(ReplyStyle.STRUCTURED))) {
      client.call(new Exchange().read(data, 8192, 0));
    }
    return data;
  }

  private static void refused(String why, Consumer<ByteBuffer> fields) {
    assertThatThrownBy(() -> read(bytes(fields), 7))
        .isInstanceOf(BlockFault.class)
        .hasMessageContaining(why);
  }

  @Test
  void chunksComeInAnyOrderAndHolesAreZero() throws BlockFault {
    byte[] good =
        bytes(
            out -> {
              chunk(out, 0, 2, 12).putLong(8192 + 1024).putInt(3072);
              chunk(out, 0, 1, 8 + 1000).putLong(8192 + 24).put(new byte[1000]);
              chunk(out, 0, 1, 8 + 24).putLong(8192);
              for (int i = 0; i < 24; i++) {
                out.put((byte) 9);
              }
              chunk(out, 1, 0, 0);
            });
    for (int step : new int[] {1, 3, 19, 4096, 1 << 20}) {
      MemorySegment data = read(good, step);
      assertThat(data.get(java.lang.foreign.ValueLayout.JAVA_BYTE, 23)).isEqualTo((byte) 9);
      assertThat(hawser.block.ZeroBytes.only(data.asSlice(24))).isTrue();
    }
    for (int length = 0; length < good.length; length++) {
      byte[] cut = java.util.Arrays.copyOf(good, length);
      assertThatThrownBy(() -> read(cut, 100)).isInstanceOf(BlockFault.class);
    }
  }

  @Test
  void lyingChunksAreRefused() {
    refused("exceeding", out -> chunk(out, 1, 1, 8 + 10).putLong(0).put(new byte[10]));
    refused("exceeding", out -> chunk(out, 1, 2, 12).putLong(8192).putInt(LENGTH + 1));
    refused("exceeding", out -> chunk(out, 1, 2, 12).putLong(8192).putInt(-1));
    refused("exceeding", out -> chunk(out, 1, 2, 12).putLong(-1).putInt(1));
    refused("invalid payload", out -> chunk(out, 1, 1, 8 + LENGTH + 1).putLong(8192));
    refused("invalid payload", out -> chunk(out, 1, 1, 8).putLong(8192));
    refused("invalid payload", out -> chunk(out, 1, 1, -1).putLong(8192));
    refused(
        "overlapping",
        out -> {
          chunk(out, 0, 2, 12).putLong(8192).putInt(100);
          chunk(out, 0, 2, 12).putLong(8192 + 99).putInt(100);
        });
    refused("covers 100 of 4096", out -> chunk(out, 1, 2, 12).putLong(8192).putInt(100));
    refused("without NBD_REPLY_FLAG_DONE", out -> chunk(out, 0, 0, 0));
    refused("nonzero length", out -> chunk(out, 1, 0, 1).put((byte) 0));
    refused("invalid payload", out -> chunk(out, 1, 5, 12).putInt(5).putInt(1).putInt(0));
    refused("invalid length", out -> chunk(out, 1, 0x8001, 5).put(new byte[5]));
    refused("invalid length", out -> chunk(out, 1, 0x8001, 1 << 20));
    refused("error = 0", out -> chunk(out, 1, 0x8001, 6).putInt(0).putShort((short) 0));
    refused("message size", out -> chunk(out, 1, 0x8001, 6).putInt(5).putShort((short) 1));
    refused("not known", out -> chunk(out, 1, 77, 0));
    refused("simple reply", out -> out.putInt(0x67446698).putInt(0).putLong(COOKIE));
    refused("cookie", out -> out.putInt(0x67446698).putInt(0).putLong(COOKIE + 1));
    refused("invalid magic", out -> out.putInt(0x12345678).putInt(0).putLong(COOKIE));
    refused("unexpected structured", out -> out.putInt(0x6e8a278c).put(new byte[28]));
    refused("dropped", out -> {});
  }

  @Test
  void errorsCarryTheServersWords() {
    refused(
        "bad?sector",
        out ->
            chunk(out, 1, 0x8001, 16)
                .putInt(5)
                .putShort((short) 10)
                .put("bad\nsector".getBytes(java.nio.charset.StandardCharsets.UTF_8)));
  }

  @Test
  void noiseIsAFaultAndNothingElse() {
    long seed = System.nanoTime();
    var dice = new Random(seed);
    for (int round = 0; round < 5000; round++) {
      byte[] noise =
          bytes(
              out -> {
                for (int i = 0; i < 3; i++) {
                  int type = new int[] {0, 1, 2, 5, 6, 0x8001, 0x8002, 9}[dice.nextInt(8)];
                  int length = dice.nextInt(5) == 0 ? dice.nextInt() : dice.nextInt(40);
                  chunk(out, dice.nextInt(2), type, length);
                  byte[] body = new byte[Math.min(200, Math.max(0, length))];
                  dice.nextBytes(body);
                  out.put(body);
                }
              });
      try {
        assertThat(read(noise, 1 + dice.nextInt(50))).as("seed " + seed).isNotNull();
      } catch (BlockFault | PeerFault expected) {
        assertThat(expected.getMessage()).as("seed " + seed).isNotNull();
      }
    }
  }
}
