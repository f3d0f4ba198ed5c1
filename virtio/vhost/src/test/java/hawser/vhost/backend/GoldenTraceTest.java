package hawser.vhost.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import hawser.base.Ranges;
import hawser.sys.EventFd;
import hawser.sys.FileCalls;
import hawser.sys.MemoryCalls;
import hawser.sys.SocketCalls;
import hawser.vhost.connection.Received;
import hawser.vhost.connection.VhostSocket;
import hawser.vhost.memory.MissingPages;
import hawser.vhost.message.FrontEndCode;
import hawser.vhost.message.FrontEndCodec;
import hawser.vhost.message.FrontEndMessage;
import hawser.vhost.message.FrontEndMessage.*;
import hawser.vhost.message.Header;
import hawser.vhost.message.InflightArea;
import hawser.vhost.message.MemoryRegion;
import hawser.vhost.message.ReplyRule;
import hawser.vhost.message.VirtioFeature;
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
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What QEMU 10.0.2 once sent while a guest booted, was reset, stopped, continued and migrated away,
 * or came, sent to a back-end again: with memory, eventfds and a log of our own, and rings without
 * requests.
 */
class GoldenTraceTest {
  private final ConcurrentLinkedQueue<String> log = new ConcurrentLinkedQueue<>();

  /** Features and configuration space of the disk that QEMU talked to. */
  private record Disk(int queues) implements Device {
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
      return 0x7e44;
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
    private static final int PAGE = 4096;

    private final VhostSocket socket;
    private final List<Integer> open = new ArrayList<>();
    private final Map<MemoryRegion, Integer> memory = new HashMap<>();
    private final Map<Integer, Integer> sizes = new HashMap<>();
    private final Map<Integer, Integer> bases = new HashMap<>();
    private int inflight = -1;
    private boolean packed;
    private boolean listening;

    Replay(int fd) {
      socket = new VhostSocket(fd);
    }

    private int memory(long bytes) {
      int fd = (int) MemoryCalls.memfdCreate("replay");
      assertThat(FileCalls.ftruncate(fd, bytes)).isZero();
      open.add(fd);
      return fd;
    }

    /** Sends a line's message and hears the reply that it must have. */
    void play(String line) {
      String[] word = line.split(" ", 4);
      FrontEndCode code = FrontEndCode.valueOf(word[0]);
      int flags = Integer.parseInt(word[1]);
      byte[] payload = HexFormat.of().parseHex(word[3].equals("-") ? "" : word[3]);
      ByteBuffer content = ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN);
      FrontEndMessage message =
          FrontEndCodec.read(code, content.duplicate().order(content.order()));
      int[] fds = descriptors(message, Integer.parseInt(word[2]));
      socket.send(code.number, flags & Header.NEED_REPLY, content, fds);
      boolean asked = (flags & Header.NEED_REPLY) != 0;
      if (code.reply != ReplyRule.WHEN_ASKED || asked || tellsAddresses(message)) {
        hear(line, message, content);
      }
    }

    private boolean tellsAddresses(FrontEndMessage message) {
      return listening
          && (message instanceof AddMemReg
              || (message instanceof SetMemTable(List<MemoryRegion> regions)
                  && !regions.isEmpty()));
    }

    /** What comes with a message, once the driver's memory is as the message says. */
    private int[] descriptors(FrontEndMessage message, int count) {
      int[] fds = new int[count];
      switch (message) {
        case SetFeatures(long features) -> packed = (features & VirtioFeature.RING_PACKED) != 0;
        case SetVringNum(int vring, int size) -> sizes.put(vring, size);
        case SetVringBase(int vring, int base) -> bases.put(vring, base);
        case SetVringAddr addresses -> makeRing(addresses);
        case RemMemReg(MemoryRegion region) -> assertThat(memory.remove(region)).isNotNull();
        case PostcopyListen() -> listening = true;
        case PostcopyEnd() -> listening = false;
        case AddMemReg(MemoryRegion region) -> fds[0] = region(region);
        case SetMemTable(List<MemoryRegion> regions) when !regions.isEmpty() -> {
          memory.clear();
          for (int i = 0; i < count; i++) {
            fds[i] = region(regions.get(i));
          }
        }
        case SetLogBase _ -> fds[0] = memory(8192);
        case SetInflightFd(InflightArea area) -> {
          // What was recorded there was of requests that do not come here.
          assertThat(FileCalls.pwrite(inflight, Arena.ofAuto().allocate(area.mmapSize()), 0))
              .isEqualTo(area.mmapSize());
          fds[0] = inflight;
        }
        case SetBackendReqFd() -> {
          var pair = new int[2];
          assertThat(SocketCalls.socketPair(pair)).isZero();
          open.addAll(List.of(pair[0], pair[1]));
          fds[0] = pair[0];
        }
        default -> {
          for (int i = 0; i < count; i++) {
            fds[i] = (int) EventFd.create();
            EventFd.signal(fds[i]);
            open.add(fds[i]);
          }
        }
      }
      return fds;
    }

    private int region(MemoryRegion region) {
      int fd = memory(region.mmapOffset() + region.size());
      memory.put(region, fd);
      return fd;
    }

    /** The driver's ring is as far as the recorded one was: nothing is new in it, and all there. */
    private void makeRing(SetVringAddr at) {
      long end = at.descriptors() + 16L * sizes.get(at.vring());
      for (long part = at.descriptors(); part < end; part = (part & -PAGE) + PAGE) {
        put(part, 0);
      }
      int index = packed ? 0 : bases.get(at.vring());
      put(at.available() + 2, index);
      put(at.used() + 2, index);
    }

    private void put(long userAddress, int value) {
      var found =
          memory.entrySet().stream()
              .filter(e -> Ranges.contains(e.getKey().size(), at(e.getKey(), userAddress), 2))
              .findAny()
              .orElseThrow();
      long offset = found.getKey().mmapOffset() + at(found.getKey(), userAddress);
      try (var arena = Arena.ofConfined()) {
        MemorySegment bytes = arena.allocateFrom(ValueLayout.JAVA_SHORT, (short) value);
        assertThat(FileCalls.pwrite(found.getValue(), bytes, offset)).isEqualTo(2);
      }
    }

    private static long at(MemoryRegion region, long userAddress) {
      return userAddress - region.userAddress();
    }

    private void hear(String line, FrontEndMessage message, ByteBuffer asked) {
      try (Received reply = Objects.requireNonNull(socket.receive(), line)) {
        FrontEndCode code = FrontEndCodec.code(message);
        assertThat(reply.header().request()).as(line).isEqualTo(code.number);
        ByteBuffer content = reply.payload().order(ByteOrder.LITTLE_ENDIAN);
        switch (message) {
          case GetInflightFd _ -> {
            inflight = reply.descriptors().take(line);
            open.add(inflight);
          }
          case PostcopyAdvise() -> open.add(reply.descriptors().take(line));
          case GetVringBase(int vring) ->
              assertThat(packed ? content.getInt(4) : (short) content.getInt(4))
                  .as(line)
                  .isEqualTo(packed ? bases.get(vring) : bases.get(vring).shortValue());
          case GetStatus _, GetFeatures _, GetProtocolFeatures _, GetQueueNum _, GetMaxMemSlots _ ->
              assertThat(content.remaining()).isEqualTo(8);
          case GetConfig _ -> assertThat(content.remaining()).isEqualTo(12 + 57);
          default -> {
            if (tellsAddresses(message)) {
              // As it came, but for the addresses.
              assertThat(content.remaining()).isEqualTo(asked.remaining());
              assertThat(content.getLong(8)).as(line).isEqualTo(asked.getLong(8));
            } else {
              assertThat(content.remaining() == 0 || content.getLong(0) == 0).as(line).isTrue();
            }
          }
        }
      }
    }

    @Override
    public void close() {
      socket.close();
      open.forEach(FileCalls::close);
    }
  }

  private static List<String> messages(String trace) throws IOException {
    String name = "/golden/qemu-10.0.2-" + trace + ".txt";
    try (InputStream in = Objects.requireNonNull(GoldenTraceTest.class.getResourceAsStream(name))) {
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII)
          .lines()
          .filter(line -> !line.startsWith("#") && !line.startsWith("="))
          .toList();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "blk, 1, 100",
    "blk-packed, 1, 100",
    "blk-multiqueue, 4, 200",
    "blk-table, 1, 100",
    "blk-incoming, 1, 25",
    "blk-postcopy, 1, 25",
    "blk-postcopy-table, 1, 25"
  })
  void qemusMessagesAreAnswered(String trace, int queues, int least) throws Exception {
    assumeTrue(
        !trace.contains("postcopy") || MissingPages.possible(), "userfaultfd is not allowed here");
    List<String> messages = messages(trace);
    assertThat(messages).hasSizeGreaterThan(least);
    var pair = new int[2];
    assertThat(SocketCalls.socketPair(pair)).isZero();
    var backEnd = new BackEnd(new Disk(queues), BackEndOptions.loggingTo(log::add));
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
