package hawser.vhost.backend;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.sys.EventFd;
import hawser.sys.FileCalls;
import hawser.sys.MemoryCalls;
import hawser.sys.SocketCalls;
import hawser.vhost.connection.Received;
import hawser.vhost.connection.VhostSocket;
import hawser.vhost.message.FrontEndCode;
import hawser.vhost.message.Header;
import hawser.vhost.message.ReplyRule;
import hawser.vhost.ring.Chain;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;

/**
 * What QEMU 10.0.2 once sent while a guest booted, was reset, stopped, continued and migrated away,
 * sent to a back-end again: with memory, eventfds and a log of our own, and rings without requests.
 */
class GoldenTraceTest {
  private static final String TRACE = "/golden/qemu-10.0.2-blk.txt";
  private static final long MEMORY_BYTES = 256 << 20;

  private final ConcurrentLinkedQueue<String> log = new ConcurrentLinkedQueue<>();

  /** Features and configuration space of the disk that QEMU talked to. */
  private static final class Disk implements Device {
    @Override
    public int virtioId() {
      return 2;
    }

    @Override
    public String name() {
      return "disk";
    }

    @Override
    public long features() {
      return 0x6e44;
    }

    @Override
    public int queues() {
      return 1;
    }

    @Override
    public ByteBuffer config() {
      return ByteBuffer.allocate(60);
    }

    @Override
    public QueueHandler open(int queue) {
      return (Chain chain) -> chain.complete(0);
    }

    @Override
    public void close() {}
  }

  /** QEMU's part, line by line. */
  private static final class Replay implements AutoCloseable {
    private final VhostSocket socket;
    private final List<Integer> open = new ArrayList<>();
    private final int memory = memory(MEMORY_BYTES);
    private int inflight = -1;
    private long memoryAt;
    private short ringIndex;

    Replay(int fd) {
      socket = new VhostSocket(fd);
    }

    private int memory(long bytes) {
      int fd = (int) MemoryCalls.memfdCreate("replay");
      assertThat(FileCalls.ftruncate(fd, bytes)).isZero();
      open.add(fd);
      return fd;
    }

    /** Sends a line's message and hears the reply that it must have; answers the reply's size. */
    void play(String line) {
      String[] word = line.split(" ", 4);
      FrontEndCode code = FrontEndCode.valueOf(word[0]);
      int flags = Integer.parseInt(word[1]);
      byte[] payload = HexFormat.of().parseHex(word[3].equals("-") ? "" : word[3]);
      ByteBuffer content = ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN);
      prepare(code, content);
      int[] fds = word[2].equals("0") ? new int[0] : new int[] {descriptor(code)};
      socket.send(code.number, flags & Header.NEED_REPLY, content, fds);
      if (code.reply != ReplyRule.WHEN_ASKED || (flags & Header.NEED_REPLY) != 0) {
        hear(line, code);
      }
    }

    /** The driver's rings are as far as the recorded ones were: nothing is new in them. */
    private void prepare(FrontEndCode code, ByteBuffer content) {
      if (code == FrontEndCode.ADD_MEM_REG) {
        memoryAt = content.getLong(24);
      } else if (code == FrontEndCode.SET_VRING_BASE) {
        ringIndex = (short) content.getInt(4);
      } else if (code == FrontEndCode.SET_VRING_ADDR) {
        index(content.getLong(16));
        index(content.getLong(24));
      }
    }

    private void index(long ring) {
      try (var arena = Arena.ofConfined()) {
        MemorySegment value = arena.allocateFrom(ValueLayout.JAVA_SHORT, ringIndex);
        assertThat(FileCalls.pwrite(memory, value, ring - memoryAt + 2)).isEqualTo(2);
      }
    }

    private int descriptor(FrontEndCode code) {
      return switch (code) {
        case ADD_MEM_REG -> memory;
        case SET_LOG_BASE -> memory(8192);
        case SET_INFLIGHT_FD -> inflight;
        case SET_BACKEND_REQ_FD -> {
          var pair = new int[2];
          assertThat(SocketCalls.socketPair(pair)).isZero();
          open.addAll(List.of(pair[0], pair[1]));
          yield pair[0];
        }
        default -> {
          int event = (int) EventFd.create();
          EventFd.signal(event);
          open.add(event);
          yield event;
        }
      };
    }

    private void hear(String line, FrontEndCode code) {
      try (Received reply = Objects.requireNonNull(socket.receive(), line)) {
        assertThat(reply.header().request()).as(line).isEqualTo(code.number);
        ByteBuffer content = reply.payload().order(ByteOrder.LITTLE_ENDIAN);
        switch (code) {
          case GET_INFLIGHT_FD -> {
            inflight = reply.descriptors().take(line);
            open.add(inflight);
          }
          case GET_VRING_BASE -> assertThat((short) content.getInt(4)).isEqualTo(ringIndex);
          case GET_STATUS, GET_FEATURES, GET_PROTOCOL_FEATURES, GET_QUEUE_NUM, GET_MAX_MEM_SLOTS ->
              assertThat(content.remaining()).isEqualTo(8);
          case GET_CONFIG -> assertThat(content.remaining()).isEqualTo(12 + 57);
          default ->
              assertThat(content.remaining() == 0 || content.getLong(0) == 0).as(line).isTrue();
        }
      }
    }

    @Override
    public void close() {
      socket.close();
      open.forEach(FileCalls::close);
    }
  }

  private static List<String> messages() throws IOException {
    try (InputStream in =
        Objects.requireNonNull(GoldenTraceTest.class.getResourceAsStream(TRACE))) {
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII)
          .lines()
          .filter(line -> !line.startsWith("#") && !line.startsWith("="))
          .toList();
    }
  }

  @Test
  void qemusMessagesAreAnswered() throws Exception {
    List<String> messages = messages();
    assertThat(messages).hasSizeGreaterThan(100);
    var pair = new int[2];
    assertThat(SocketCalls.socketPair(pair)).isZero();
    var backEnd = new BackEnd(new Disk(), BackEndOptions.loggingTo(log::add));
    Thread serving = Thread.ofPlatform().start(() -> backEnd.serve(pair[1]));
    try (var replay = new Replay(pair[0])) {
      for (String message : messages) {
        replay.play(message);
      }
      // The back-end still listens after the last one.
      replay.play("GET_FEATURES 1 0 -");
    }
    serving.join();
    backEnd.close();
    assertThat(log).isEmpty();
  }
}
