package hawser.vhost.backend;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.sys.EventFd;
import hawser.sys.FileCalls;
import hawser.sys.MemoryCalls;
import hawser.sys.SocketCalls;
import hawser.vhost.connection.VhostSocket;
import hawser.vhost.message.FrontEndCode;
import hawser.vhost.message.FrontEndCodec;
import hawser.vhost.message.FrontEndMessage;
import hawser.vhost.message.FrontEndMessage.*;
import hawser.vhost.message.Header;
import hawser.vhost.message.MemoryRegion;
import hawser.vhost.message.VringDescriptor;
import hawser.vhost.ring.Chain;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Front-ends that break the protocol: each loses its own connection and nothing stays behind. */
class HostileFrontEndTest {
  private static final int FRONT_ENDS = 2500;
  private static final int MESSAGES_EACH = 4;
  private static final int MEMORY_BYTES = 1 << 20;

  private final ConcurrentLinkedQueue<String> log = new ConcurrentLinkedQueue<>();

  /** Gives every chain back at once. */
  private static final class Mirror implements Device {
    @Override
    public int virtioId() {
      return 4;
    }

    @Override
    public String name() {
      return "mirror";
    }

    @Override
    public long features() {
      return 0;
    }

    @Override
    public int queues() {
      return 2;
    }

    @Override
    public QueueHandler open(int queue) {
      return (Chain chain) -> chain.complete(0);
    }

    @Override
    public void close() {}
  }

  private final class Connected implements AutoCloseable {
    private final Thread serving;
    final int fd;
    final VhostSocket socket;

    Connected() {
      var pair = new int[2];
      assertThat(SocketCalls.socketPair(pair)).isZero();
      fd = pair[0];
      socket = new VhostSocket(fd);
      var backEnd = new BackEnd(new Mirror(), BackEndOptions.loggingTo(log::add));
      serving = Thread.ofPlatform().start(() -> backEnd.serve(pair[1]));
    }

    @Override
    public void close() throws InterruptedException {
      SocketCalls.shutdown(fd, SocketCalls.SHUT_RDWR);
      serving.join();
      socket.close();
    }
  }

  private static long count(String folder) throws IOException {
    try (Stream<Path> entries = Files.list(Path.of(folder))) {
      return entries.count();
    }
  }

  /** How many threads there are: one that has been joined may leave the kernel only later. */
  @SuppressWarnings("ThreadPriorityCheck") // a chance to leave is what it waits for
  private static long threads(long below) throws IOException {
    long now = count("/proc/self/task");
    for (int tries = 0; now >= below && tries < 10_000; tries++) {
      Thread.yield();
      now = count("/proc/self/task");
    }
    return now;
  }

  private static long mappings() throws IOException {
    // By name: the JVM's own mappings come and go.
    return Files.readAllLines(Path.of("/proc/self/maps")).stream()
        .filter(line -> line.contains("memfd:"))
        .count();
  }

  private static int memory() {
    int fd = (int) MemoryCalls.memfdCreate("guest");
    assertThat(FileCalls.ftruncate(fd, MEMORY_BYTES)).isZero();
    return fd;
  }

  @Test
  void nothingStaysBehindTenThousandMalformedMessages() throws Exception {
    long seed = new Random().nextLong();
    var random = new Random(seed);
    for (int i = 0; i < 50; i++) {
      abuse(random);
    }
    long descriptors = count("/proc/self/fd");
    long threads = count("/proc/self/task");
    for (int i = 0; i < FRONT_ENDS; i++) {
      abuse(random);
    }
    assertThat(count("/proc/self/fd")).as("seed %d", seed).isLessThanOrEqualTo(descriptors);
    assertThat(threads(threads + 8)).as("seed %d", seed).isLessThan(threads + 8);
    assertThat(mappings()).as("seed %d", seed).isZero();
    assertThat(log).as("seed %d", seed).noneMatch(line -> line.contains("defect"));
  }

  private void abuse(Random random) throws Exception {
    try (var connected = new Connected()) {
      try {
        for (int i = 0; i < MESSAGES_EACH; i++) {
          send(connected.socket, random);
        }
      } catch (hawser.base.PeerFault gone) {
        // The back-end has had enough of it, as it should.
        assertThat(gone).hasMessageContaining("send");
      }
    }
  }

  private static void send(VhostSocket socket, Random random) {
    FrontEndCode[] codes = FrontEndCode.values();
    FrontEndCode code = codes[random.nextInt(codes.length)];
    int request = random.nextInt(12) == 0 ? random.nextInt() : code.number;
    int size =
        random.nextInt(6) == 0
            ? random.nextInt(300)
            : code.payloadMin + random.nextInt(1 + Math.min(64, code.payloadMax - code.payloadMin));
    var payload = ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
    while (payload.remaining() >= 4) {
      payload.putInt(
          switch (random.nextInt(5)) {
            case 0 -> 0;
            case 1 -> random.nextInt(3);
            case 2 -> MEMORY_BYTES;
            case 3 -> -1;
            default -> random.nextInt();
          });
    }
    var fds = new int[random.nextInt(3) == 0 ? random.nextInt(4) : code.descriptorsMax > 0 ? 1 : 0];
    for (int i = 0; i < fds.length; i++) {
      fds[i] = random.nextBoolean() ? memory() : (int) EventFd.create();
    }
    try {
      socket.send(request, random.nextBoolean() ? Header.NEED_REPLY : 0, payload.clear(), fds);
    } finally {
      for (int fd : fds) {
        FileCalls.close(fd);
      }
    }
  }

  @Test
  void messagesMayComeByteByByteAndEndAnywhere() throws Exception {
    ByteBuffer features = VhostSocket.payload();
    FrontEndCodec.write(new SetFeatures(0), features);
    features.flip();
    var whole = ByteBuffer.allocate(Header.BYTES + 8).order(ByteOrder.nativeOrder());
    new Header(FrontEndCode.SET_FEATURES.number, Header.VERSION, 8).write(whole);
    byte[] bytes = whole.put(features).array();
    try (var arena = java.lang.foreign.Arena.ofConfined()) {
      var memory = arena.allocate(bytes.length);
      memory.copyFrom(java.lang.foreign.MemorySegment.ofArray(bytes));
      for (int end = 1; end < bytes.length; end++) {
        try (var connected = new Connected()) {
          for (int at = 0; at < end; at++) {
            assertThat(SocketCalls.send(connected.fd, memory.asSlice(at, 1))).isOne();
          }
        }
        assertThat(log.poll()).as("cut at %d", end).contains("connection closed after");
      }
    }
  }

  @Test
  void memoryThatShrinksBreaksItsQueueAndNothingElse() throws Exception {
    int file = memory();
    int kick = (int) EventFd.create();
    int error = (int) EventFd.create();
    try (var connected = new Connected()) {
      VhostSocket socket = connected.socket;
      tell(socket, new SetFeatures(1L << 32));
      tell(socket, new SetMemTable(List.of(new MemoryRegion(0, MEMORY_BYTES, 0, 0))), file);
      tell(socket, new SetVringNum(0, 256));
      tell(socket, new SetVringAddr(0, 0, 0x10000, 0x30000, 0x20000, 0));
      tell(socket, new SetVringErr(new VringDescriptor(0, true)), error);
      tell(socket, new SetVringKick(new VringDescriptor(0, true)), kick);
      assertThat(answer(socket, new GetQueueNum())).isEqualTo(2);
      assertThat(FileCalls.ftruncate(file, 0)).isZero();
      EventFd.signal(kick);
      assertThat(SocketCalls.poll(error, SocketCalls.POLLIN, 60_000)).isOne();
      assertThat(answer(socket, new GetQueueNum())).as("it still answers").isEqualTo(2);
    } finally {
      FileCalls.close(file);
      FileCalls.close(kick);
      FileCalls.close(error);
    }
    assertThat(log).anyMatch(line -> line.contains("guest memory is gone"));
  }

  private static void tell(VhostSocket socket, FrontEndMessage message, int... fds) {
    ByteBuffer payload = VhostSocket.payload();
    FrontEndCodec.write(message, payload);
    socket.send(FrontEndCodec.code(message).number, 0, payload.flip(), fds);
  }

  private static long answer(VhostSocket socket, FrontEndMessage message) {
    tell(socket, message);
    try (var reply = socket.receive()) {
      return reply.payload().getLong();
    }
  }
}
