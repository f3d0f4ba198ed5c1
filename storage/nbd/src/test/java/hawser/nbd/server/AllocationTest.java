package hawser.nbd.server;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.nbd.BlockSizes;
import hawser.nbd.ExportInfo;
import hawser.nbd.Handshake;
import hawser.nbd.ReplyStyle;
import hawser.nbd.transport.Transport;
import hawser.sys.MessageHeader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The data path makes no objects in steady state. */
class AllocationTest {
  private static final int BATCHES_WARM = 20_000;
  private static final int BATCHES_COUNTED = 2000;
  private static final int REQUESTS = 16;

  /** By reflection, for the module under test does not read the management modules. */
  private static long allocatedBytes() {
    try {
      Object threads =
          Class.forName("java.lang.management.ManagementFactory")
              .getMethod("getThreadMXBean")
              .invoke(null);
      return (long)
          Class.forName("com.sun.management.ThreadMXBean")
              .getMethod("getCurrentThreadAllocatedBytes")
              .invoke(threads);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  /** A client that sends the same batch again and again and swallows the replies. */
  private static final class Repeating implements Transport {
    private final MemorySegment batch;
    private int left = BATCHES_WARM + BATCHES_COUNTED;
    private long before;
    private long allocated;

    Repeating(byte[] bytes) {
      batch = Arena.ofAuto().allocate(bytes.length, 8);
      MemorySegment.copy(MemorySegment.ofArray(bytes), 0, batch, 0, bytes.length);
    }

    @Override
    public long receive(MemorySegment into) {
      if (left == BATCHES_COUNTED) {
        before = allocatedBytes();
      }
      if (left-- == 0) {
        allocated = allocatedBytes() - before;
        return 0;
      }
      MemorySegment.copy(batch, 0, into, 0, batch.byteSize());
      return batch.byteSize();
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

  @ParameterizedTest
  @CsvSource({"SIMPLE,0", "SIMPLE,1", "STRUCTURED,0", "STRUCTURED,1", "EXTENDED,0", "EXTENDED,1"})
  void readsAndWritesAllocateNothing(ReplyStyle style, int command) {
    var node = new MemoryNode(1 << 20, true);
    node.memory.fill((byte) 5);
    int payload = command == 1 ? 4096 : 0;
    ByteBuffer out = ByteBuffer.allocate(REQUESTS * (style.requestBytes() + payload));
    for (int i = 0; i < REQUESTS; i++) {
      out.putInt(style.requestMagic());
      out.putShort((short) (style == ReplyStyle.EXTENDED && command == 1 ? 32 : 0));
      out.putShort((short) command).putLong(i).putLong(i * 4096L);
      if (style == ReplyStyle.EXTENDED) {
        out.putLong(4096);
      } else {
        out.putInt(4096);
      }
      out.position(out.position() + payload);
    }
    var transport = new Repeating(out.array());
    var info = new ExportInfo("", "", 1 << 20, 1, BlockSizes.DEFAULT, List.of(), false);
    var ready = new Handshake.Ready(info, style, List.of(), true);
    var shared = new ServerResources(new Workers("test", 2), new BufferPool(), 8);
    try (var phase = new Transmission(transport, Export.of("", node, true), ready, shared)) {
      phase.run();
    }
    long perRequest = transport.allocated / (BATCHES_COUNTED * REQUESTS);
    assertThat(perRequest).isZero();
  }
}
