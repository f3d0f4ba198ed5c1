package hawser.interop.vhost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.testkit.Peer;
import hawser.testkit.Side;
import hawser.vhost.frontend.BlkConfig;
import hawser.vhost.frontend.BlkDriver;
import hawser.vhost.frontend.BlkDriver.Segment;
import hawser.vhost.frontend.BlkQueue;
import hawser.vhost.frontend.BlkType;
import hawser.vhost.frontend.DirtyPages;
import hawser.vhost.frontend.Driver;
import hawser.vhost.frontend.DriverPlan;
import hawser.vhost.frontend.DriverQueue;
import hawser.vhost.frontend.FrontEnd;
import hawser.vhost.frontend.GuestRam;
import hawser.vhost.frontend.Sockets;
import hawser.vhost.message.ProtocolFeature;
import hawser.vhost.message.VirtioFeature;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The front-end and its driver, at whosever back-end. */
class FrontEndTest {
  private static final int SIZE = 8 << 20;
  private static final long RAM = 16 << 20;
  private static final long FEATURES = DriverPlan.SPLIT | BlkDriver.F_ALL;
  private static final DriverPlan PLAN = DriverPlan.of(FEATURES);

  @TempDir Path temp;
  private Path image;
  private Path socket;
  private byte[] content;

  @BeforeEach
  void makeImage() throws Exception {
    image = temp.resolve("disk.raw");
    socket = temp.resolve("s");
    content = new byte[SIZE];
    new Random(11).nextBytes(content);
    Files.write(image, content);
  }

  private Driver drive(GuestRam ram, DriverPlan plan) throws BlockFault {
    return Driver.start(Sockets.connect(socket), ram, plan);
  }

  private static void assertSame(byte[] found, byte[] expected) {
    assertThat(Arrays.mismatch(found, expected)).isEqualTo(-1);
  }

  private byte[] part(int from, int bytes) {
    return Arrays.copyOfRange(content, from, from + bytes);
  }

  @ParameterizedTest
  @EnumSource
  void whatItOffersAndItsConfiguration(BlkBackEnd side) throws Exception {
    try (Peer _ = side.serve(image, socket, 2);
        FrontEnd frontEnd = Sockets.connect(socket)) {
      long features = frontEnd.getFeatures();
      assertThat(features & VirtioFeature.PROTOCOL_FEATURES).isNotZero();
      assertThat(features & VirtioFeature.VERSION_1).isNotZero();
      long protocol = frontEnd.getProtocolFeatures();
      assertThat(ProtocolFeature.CONFIG.in(protocol)).isTrue();
      frontEnd.setProtocolFeatures(protocol & DriverPlan.PROTOCOL_ALL);
      frontEnd.setOwner();
      assertThat(frontEnd.getQueueNum()).isEqualTo(2);
      BlkConfig config = BlkDriver.config(frontEnd);
      assertThat(config.capacity()).isEqualTo(SIZE / BlkDriver.SECTOR_BYTES);
      assertThat(config.numQueues()).isEqualTo(2);
      assertThat(config.blkSize()).isEqualTo(512);
    }
  }

  @ParameterizedTest
  @EnumSource
  void readsWritesZeroesAndDiscards(BlkBackEnd side) throws Exception {
    try (Peer server = side.serve(image, socket, 1);
        GuestRam ram = GuestRam.of(RAM);
        Driver driver = drive(ram, PLAN)) {
      BlkDriver disk = BlkDriver.of(driver, 0, 1 << 20);
      assertSame(disk.read(0, 1 << 20), part(0, 1 << 20));
      assertSame(disk.read(16, 512), part(16 * 512, 512));
      byte[] written = new byte[70 * 512];
      new Random(12).nextBytes(written);
      disk.write(100, written);
      System.arraycopy(written, 0, content, 100 * 512, written.length);
      disk.writeZeroes(List.of(new Segment(300, 8, 0)));
      Arrays.fill(content, 300 * 512, 308 * 512, (byte) 0);
      disk.discard(List.of(new Segment(4096, 2048, 0)));
      // What discarded sectors hold is the device's choice.
      System.arraycopy(disk.read(4096, 1 << 20), 0, content, 4096 * 512, 1 << 20);
      disk.flush();
      assertSame(disk.read(90, 128 << 10), part(90 * 512, 128 << 10));
      assertThat(disk.getId()).isNotNull();
      assertThatThrownBy(() -> disk.read(SIZE / 512, 512)).isInstanceOf(BlockFault.class);
      assertThatThrownBy(() -> disk.write(SIZE / 512 - 1, new byte[1024]))
          .isInstanceOf(BlockFault.class);
      assertSame(disk.read(0, 512), part(0, 512));
      assertThat(server.terminate()).isZero();
    }
    Path expected = Files.write(temp.resolve("expected"), content);
    assertThat(Files.mismatch(image, expected)).isEqualTo(-1);
  }

  /** Linux sends up to as many segments in one request as the device takes. */
  @Test
  void manySegmentsInOneRequest() throws Exception {
    try (Peer _ = BlkBackEnd.HAWSER.serve(image, socket, 1);
        GuestRam ram = GuestRam.of(RAM);
        Driver driver = drive(ram, PLAN)) {
      int most = BlkDriver.config(driver.frontEnd()).maxDiscardSeg();
      assertThat(most).isEqualTo(BlkDriver.config(driver.frontEnd()).maxWriteZeroesSeg());
      BlkDriver disk = BlkDriver.of(driver, 0, 1 << 16);
      var segments = new ArrayList<Segment>();
      for (int i = 0; i < most; i++) {
        // Blocks of the file system, with one between.
        segments.add(new Segment(16L * i, 8, 0));
        Arrays.fill(content, 16 * 512 * i, (16 * i + 8) * 512, (byte) 0);
      }
      disk.discard(segments);
      assertSame(disk.read(0, 1 << 16), part(0, 1 << 16));
      segments.replaceAll(segment -> new Segment(8192 + segment.sector(), 8, BlkDriver.UNMAP));
      disk.writeZeroes(segments);
      for (int i = 0; i < most; i++) {
        int from = (8192 + 16 * i) * 512;
        Arrays.fill(content, from, from + 8 * 512, (byte) 0);
      }
      segments.set(0, new Segment(64, 8, 0));
      segments.set(most - 1, new Segment(SIZE / 512, 8, 0));
      assertThatThrownBy(() -> disk.writeZeroes(segments)).isInstanceOf(BlockFault.class);
      segments.add(new Segment(0, 8, 0));
      assertThatThrownBy(() -> disk.discard(segments)).isInstanceOf(BlockFault.class);
    }
    Path expected = Files.write(temp.resolve("expected"), content);
    assertThat(Files.mismatch(image, expected)).isEqualTo(-1);
  }

  /** A file is not worn, forgets nothing for good and has no zones; requests for that say so. */
  @ParameterizedTest
  @EnumSource
  void whatAFileCannotDoIsNeitherOfferedNorDone(BlkBackEnd side) throws Exception {
    try (Peer _ = side.serve(image, socket, 1);
        GuestRam ram = GuestRam.of(RAM);
        Driver driver = drive(ram, PLAN)) {
      long other = BlkDriver.F_LIFETIME | BlkDriver.F_SECURE_ERASE | BlkDriver.F_ZONED;
      assertThat(driver.frontEnd().getFeatures() & other).isZero();
      BlkDriver disk = BlkDriver.of(driver, 0, 4096);
      for (ThrowingCallable request :
          List.<ThrowingCallable>of(
              disk::getLifetime,
              () -> disk.secureErase(List.of(new Segment(0, 8, 0))),
              () -> disk.zoneReport(0, 4096),
              () -> disk.zone(BlkType.ZONE_RESET_ALL, 0))) {
        assertThatThrownBy(request)
            .isInstanceOfSatisfying(
                BlockFault.class, fault -> assertThat(fault.errno()).isEqualTo(Errno.EOPNOTSUPP));
      }
      assertSame(disk.read(0, 4096), part(0, 4096));
    }
  }

  /** A guest lays its file systems out by these. */
  @Test
  void topologyIsTheNodes() throws Exception {
    Path qcow2 = temp.resolve("disk.qcow2");
    Side.HAWSER.run("qemu-img", "create", "-f", "qcow2", qcow2.toString(), "8M").ok();
    try (Peer _ =
            Side.HAWSER
                .start(
                    "vhost-user-blk",
                    "--socket-path=" + socket,
                    "--blk-file=" + qcow2,
                    "-f",
                    "qcow2")
                .awaitSocket(socket);
        GuestRam ram = GuestRam.of(RAM);
        Driver driver = drive(ram, PLAN)) {
      BlkConfig config = BlkDriver.config(driver.frontEnd());
      assertThat(config.blkSize() << config.physicalBlockExp()).isEqualTo(4096);
      assertThat(config.blkSize() * config.minIoBlocks()).isEqualTo(64 << 10);
      assertThat(config.blkSize() * config.optIoBlocks()).isEqualTo(64 << 10);
      assertThat(config.discardSectorAlignment()).isEqualTo(128);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aRequestRightAfterAnotherIsNotTakenForIt(BlkBackEnd side) throws Exception {
    try (Peer _ = side.serve(image, socket, 1);
        GuestRam ram = GuestRam.of(RAM);
        Driver driver = drive(ram, PLAN)) {
      BlkDriver disk = BlkDriver.of(driver, 0, 4096);
      for (int round = 0; round < 2000; round++) {
        disk.writeZeroes(List.of(new Segment(round, 1, 0)));
      }
      assertSame(disk.read(1992, 4096), new byte[4096]);
    }
  }

  /** Every way in which a ring may be used, with many requests under way. */
  enum Use {
    PLAIN(0, 0),
    INDIRECT(VirtioFeature.INDIRECT_DESC, 8),
    EVENT_IDX(VirtioFeature.EVENT_IDX, 0),
    ALL(VirtioFeature.INDIRECT_DESC | VirtioFeature.EVENT_IDX, 4);

    private final long features;
    private final int tableEntries;

    Use(long features, int tableEntries) {
      this.features = features | VirtioFeature.VERSION_1 | BlkDriver.F_ALL;
      this.tableEntries = tableEntries;
    }
  }

  @ParameterizedTest
  @EnumSource
  void manyRequestsAtOnceInEveryUseOfTheRing(Use use) throws Exception {
    for (BlkBackEnd side : BlkBackEnd.values()) {
      try (Peer _ = side.serve(image, socket, 1);
          GuestRam ram = GuestRam.of(3, RAM, 1 << 20);
          Driver driver =
              drive(ram, PLAN.withFeatures(use.features).withQueues(1, 64, use.tableEntries))) {
        var queue = new BlkQueue(driver.queue(0), ram, 20, 16 << 10, 4 << 10);
        readAll(queue, 16 << 10);
      }
    }
  }

  /** Reads the whole disk with as many requests under way as there are slots; checks each. */
  private void readAll(BlkQueue queue, int bytes) {
    int[] at = new int[64];
    int next = 0;
    int done = 0;
    while (done < SIZE) {
      int slot = next < SIZE ? queue.claim() : BlkQueue.NONE;
      if (slot != BlkQueue.NONE && queue.add(slot, BlkType.IN, next / 512, 0, bytes)) {
        at[slot] = next;
        next += bytes;
        continue;
      }
      if (slot != BlkQueue.NONE) {
        queue.release(slot);
      }
      queue.queue().submit();
      assertThat(queue.queue().await(30_000)).isTrue();
      for (int got = queue.take(); got != BlkQueue.NONE; got = queue.take()) {
        assertThat(queue.status(got)).isZero();
        assertThat(queue.data(got, bytes).asByteBuffer())
            .isEqualTo(java.nio.ByteBuffer.wrap(content, at[got], bytes));
        done += bytes;
        queue.release(got);
      }
    }
    assertThat(queue.queue().outstanding()).isZero();
  }

  @ParameterizedTest
  @EnumSource
  void severalQueues(BlkBackEnd side) throws Exception {
    try (Peer _ = side.serve(image, socket, 4);
        GuestRam ram = GuestRam.of(RAM);
        Driver driver = drive(ram, PLAN.withQueues(4, 64, 4))) {
      for (int i = 0; i < 4; i++) {
        assertSame(BlkDriver.of(driver, i, 4096).read(8L * i, 4096), part(i * 4096, 4096));
      }
      assertThat(driver.queue(3).kicks()).isPositive();
    }
  }

  @ParameterizedTest
  @EnumSource
  void stopsAndGoesOnWhereItStopped(BlkBackEnd side) throws Exception {
    try (Peer _ = side.serve(image, socket, 1);
        GuestRam ram = GuestRam.of(RAM);
        Driver driver = drive(ram, PLAN)) {
      BlkDriver disk = BlkDriver.of(driver, 0, 4096);
      for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 7; i++) {
          assertSame(disk.read(8L * i, 4096), part(i * 4096, 4096));
        }
        driver.stop();
        GuestRam.Snapshot stopped = ram.snapshot();
        driver.queue(0).kick();
        driver.resume();
        assertSame(disk.read(8, 4096), part(4096, 4096));
        assertThat(ram.changedSince(stopped).isEmpty()).isFalse();
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyChangedPageIsMarked(BlkBackEnd side) throws Exception {
    try (Peer _ = side.serve(image, socket, 1);
        GuestRam ram = GuestRam.of(2, RAM, 1 << 20);
        Driver driver = drive(ram, PLAN)) {
      BlkDriver disk = BlkDriver.of(driver, 0, 64 << 10);
      disk.read(0, 4096);
      DirtyPages log = driver.startLog();
      var random = new Random(5);
      for (int round = 0; round < 200; round++) {
        // The driver's own writes come first; what is left is the device's.
        int sectors = 1 + random.nextInt(128);
        GuestRam.Snapshot before = ram.snapshot();
        disk.read(random.nextInt(SIZE / 512 - 128), sectors * 512);
        BitSet changed = ram.changedSince(before);
        BitSet marked = log.take();
        changed.andNot(marked);
        // One page holds the descriptors, the header and the available ring: the driver's own.
        assertThat(changed.cardinality()).as("round %d: %s", round, changed).isLessThanOrEqualTo(1);
      }
      driver.stopLog();
      disk.read(0, 4096);
    }
  }

  @ParameterizedTest
  @EnumSource
  void anotherConnectionGoesOnWithTheRings(BlkBackEnd side) throws Exception {
    try (Peer _ = side.serve(image, socket, 1);
        GuestRam ram = GuestRam.of(RAM);
        Driver driver = drive(ram, PLAN)) {
      BlkDriver disk = BlkDriver.of(driver, 0, 4096);
      for (int round = 0; round < 3; round++) {
        assertSame(disk.read(8L * round, 4096), part(round * 4096, 4096));
        driver.frontEnd().shutdown();
        driver.reconnect(Sockets.connect(socket));
      }
      assertSame(disk.read(80, 4096), part(80 * 512, 4096));
      assertThat(driver.queue(0)).extracting(DriverQueue::outstanding).isEqualTo(0);
    }
  }
}
