package hawser.vhost.frontend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.PeerFault;
import hawser.sys.FileCalls;
import hawser.sys.SocketCalls;
import hawser.vhost.backend.BackEndOptions;
import hawser.vhost.backend.QueueHandler;
import hawser.vhost.message.BackEndMessage;
import hawser.vhost.message.FrontEndCode;
import hawser.vhost.message.Header;
import hawser.vhost.message.VirtioFeature;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.BitSet;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Our front-end and our back-end in one process. */
class BothRolesTest {
  private static final long RAM = 4 << 20;
  private static final int MALFORMED = 10_000;
  private static final int REQUESTS = 10_000;

  @Test
  void theStateOfOneDeviceBecomesAnothers() throws Exception {
    var source = new EchoDevice();
    var destination = new EchoDevice();
    source.state = new byte[1 << 20];
    new Random(3).nextBytes(source.state);
    source.state[0] = 1;
    try (var from = new Served(source);
        var to = new Served(destination);
        GuestRam ram = GuestRam.of(RAM);
        Driver before = Driver.start(from.frontEnd(), ram, DriverPlan.of(DriverPlan.PACKED));
        Driver after = Driver.agree(to.frontEnd(), ram, DriverPlan.of(DriverPlan.PACKED))) {
      before.stop();
      StateTransfer.load(after.frontEnd(), StateTransfer.save(before.frontEnd()));
      assertThat(destination.state).isEqualTo(source.state);
      assertThatThrownBy(() -> StateTransfer.load(after.frontEnd(), new byte[] {0, 1}))
          .isInstanceOf(PeerFault.class)
          .hasMessageContaining("CHECK_DEVICE_STATE after LOAD");
    }
  }

  @Test
  void theBackEndsRequestsReachTheListener() throws Exception {
    var device = new EchoDevice();
    var heard = new CountDownLatch(2);
    DriverPlan plan =
        DriverPlan.of(DriverPlan.SPLIT)
            .withListener(
                (message, _) -> {
                  if (message instanceof BackEndMessage.ConfigChangeMsg) {
                    heard.countDown();
                  }
                  return BackEndListener.Answer.OK;
                });
    try (var served = new Served(device);
        GuestRam ram = GuestRam.of(RAM);
        Driver driver = Driver.start(served.frontEnd(), ram, plan)) {
      device.host.configChanged();
      device.host.configChanged();
      heard.await();
      assertThat(driver.frontEnd().channelFault()).isNull();
    }
  }

  @Test
  void aBackEndThatSaysNothingIsNamed() {
    int[] pair = new int[2];
    long _ = SocketCalls.socketPair(pair);
    try (var frontEnd = new FrontEnd(pair[0], Duration.ofMillis(20))) {
      assertThatThrownBy(frontEnd::getFeatures)
          .isInstanceOf(PeerFault.class)
          .hasMessage("GET_FEATURES: no answer within 20 ms");
    } finally {
      FileCalls.close(pair[1]);
    }
  }

  @ParameterizedTest
  @ValueSource(
      longs = {
        DriverPlan.SPLIT,
        DriverPlan.PACKED,
        DriverPlan.SPLIT & ~VirtioFeature.EVENT_IDX,
        DriverPlan.SPLIT | VirtioFeature.ACCESS_PLATFORM,
        DriverPlan.PACKED | VirtioFeature.ACCESS_PLATFORM
      })
  void everyPageThatTheDeviceChangesIsMarked(long features) throws Exception {
    var dice = new Random(7);
    try (var served = new Served(new EchoDevice());
        GuestRam ram = GuestRam.of(2, 1 << 19, 1 << 16);
        Driver driver = Driver.start(served.frontEnd(), ram, DriverPlan.of(features))) {
      DriverQueue queue = driver.queue(0);
      // What the driver writes to is not here: the ring, and the first region but for the answers.
      long question = ram.allocate(0, 4096, 4096);
      long answers = ram.allocate(1, 1 << 18, 4096);
      DirtyPages log = driver.startLog();
      BitSet usedPages = pages(queue.memory().used(), 6 + 8L * 128);
      long marked = 0;
      for (int i = 0; i < REQUESTS; i++) {
        int bytes = 1 + dice.nextInt(2000);
        long at = answers + dice.nextInt((1 << 18) - bytes);
        ram.at(question, bytes).fill((byte) dice.nextInt());
        GuestRam.Snapshot before = i % 100 == 0 ? ram.snapshot() : null;
        queue.begin();
        queue.readable(question, bytes);
        queue.writable(at, bytes);
        assertThat(queue.add()).isNotEqualTo(DriverQueue.NONE);
        queue.submit();
        assertThat(queue.await(60_000)).isTrue();
        assertThat(queue.take()).isNotEqualTo(DriverQueue.NONE);
        BitSet found = log.take();
        marked += found.cardinality();
        assertThat(covers(found, pages(at, bytes))).as("request %d", i).isTrue();
        assertThat(found.intersects(ringPages(queue, features, usedPages))).isTrue();
        if (before != null) {
          BitSet changed = ram.changedSince(before);
          changed.andNot(found);
          changed.andNot(pages(queue.memory().descriptors(), 128 * 16));
          changed.andNot(pages(queue.memory().available(), 6 + 2 * 128));
          assertThat(changed.isEmpty()).as("request %d: %s", i, changed).isTrue();
        }
      }
      // An answer lies in one or two pages, and the ring in one or two more.
      assertThat(marked).isLessThan(4L * REQUESTS);
    }
  }

  private static BitSet ringPages(DriverQueue queue, long features, BitSet used) {
    boolean packed = (features & VirtioFeature.RING_PACKED) != 0;
    return packed ? pages(queue.memory().descriptors(), 128 * 16) : used;
  }

  private static boolean covers(BitSet found, BitSet wanted) {
    var missing = (BitSet) wanted.clone();
    missing.andNot(found);
    return missing.isEmpty();
  }

  private static BitSet pages(long at, long bytes) {
    var pages = new BitSet();
    pages.set((int) (at >>> 12), (int) ((at + bytes - 1) >>> 12) + 1);
    return pages;
  }

  @ParameterizedTest
  @ValueSource(longs = {DriverPlan.SPLIT, DriverPlan.PACKED})
  void whatBrokeAQueueIsNotTriedAgainWhenThatStops(long features) throws Exception {
    var complaints = new LinkedBlockingQueue<String>();
    var tried = new AtomicInteger();
    var device =
        new EchoDevice() {
          @Override
          public QueueHandler open(int queue) {
            return _ -> {
              tried.incrementAndGet();
              throw new PeerFault("no echo");
            };
          }
        };
    try (var served = new Served(device, BackEndOptions.loggingTo(complaints::add));
        GuestRam ram = GuestRam.of(1 << 20);
        Driver driver = Driver.start(served.frontEnd(), ram, DriverPlan.of(features))) {
      DriverQueue queue = driver.queue(0);
      queue.begin();
      queue.readable(ram.allocate(64, 64), 64);
      queue.add();
      queue.submit();
      assertThat(complaints.take()).isEqualTo("no echo");
      driver.stop();
      assertThat(tried).hasValue(1);
      assertThat(complaints).isEmpty();
    }
  }

  @Test
  void malformedMessagesLeaveNothingBehind() throws Exception {
    try (var served = new Served(new EchoDevice())) {
      malformed(served, 0, 200);
      int descriptors = openDescriptors();
      int threads = Thread.activeCount();
      malformed(served, 200, MALFORMED);
      assertThat(openDescriptors()).isEqualTo(descriptors);
      assertThat(Thread.activeCount()).isLessThanOrEqualTo(threads);
      try (FrontEnd frontEnd = served.frontEnd()) {
        assertThat(frontEnd.getFeatures()).isNotZero();
      }
    }
  }

  private static void malformed(Served served, int first, int end) throws Exception {
    for (int seed = first; seed < end; seed++) {
      var dice = new Random(seed);
      int fd = served.connect();
      try (var arena = Arena.ofConfined()) {
        for (int i = 1 + dice.nextInt(3); i > 0; i--) {
          MemorySegment bytes = arena.allocateFrom(ValueLayout.JAVA_BYTE, message(dice));
          long _ = SocketCalls.send(fd, bytes);
        }
      } finally {
        FileCalls.close(fd);
      }
      served.awaitEnd();
    }
  }

  /** A header that is right in most parts, and bytes that are right in few. */
  private static byte[] message(Random dice) {
    FrontEndCode[] codes = FrontEndCode.values();
    FrontEndCode code = codes[dice.nextInt(codes.length)];
    int room = code.payloadMax - code.payloadMin;
    int size = code.payloadMin + (room == 0 ? 0 : dice.nextInt(room + 1));
    byte[] payload = new byte[dice.nextInt(8) == 0 ? dice.nextInt(300) : size];
    if (dice.nextBoolean()) {
      dice.nextBytes(payload);
    } else if (payload.length > 0) {
      payload[dice.nextInt(payload.length)] = (byte) dice.nextInt();
    }
    ByteBuffer out =
        ByteBuffer.allocate(Header.BYTES + payload.length).order(ByteOrder.nativeOrder());
    int request = dice.nextInt(20) == 0 ? dice.nextInt() : code.number;
    int flags = dice.nextInt(20) == 0 ? dice.nextInt() : Header.VERSION | dice.nextInt(2) << 3;
    int said = dice.nextInt(20) == 0 ? dice.nextInt() : payload.length;
    return out.putInt(request).putInt(flags).putInt(said).put(payload).array();
  }

  private static int openDescriptors() {
    String[] entries = new java.io.File("/proc/self/fd").list();
    return entries == null ? 0 : entries.length;
  }
}
