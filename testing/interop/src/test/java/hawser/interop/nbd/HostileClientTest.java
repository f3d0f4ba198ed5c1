package hawser.interop.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.nbd.client.NbdDriver;
import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Side;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Clients that were made to hurt, in floods: the server, with a heap of 64 MiB, has afterwards as
 * many threads and descriptors as before and hardly more mappings, and another client that reads
 * and writes all the while notices nothing.
 */
class HostileClientTest {
  private static final int SIZE = 8 << 20;
  private static final int FLOOD = 60;

  /** What the JVM and the C library may add by themselves: heaps of malloc, compiled code. */
  private static final int MAPPINGS_SLACK = 40;

  /**
   * The heap, 48 MiB for requests, half a MiB for each of at most a hundred clients, the JVM
   * itself; 173 MiB were seen.
   */
  private static final long RESIDENT_KIB_MAX = 224 << 10;

  private static final long[] LENGTHS = {
    0, 1, 0x7fffffff, 0x80000000L, 0xffffffffL, (32 << 20) + 1
  };
  private static final long[] EXTENDED_LENGTHS = {
    0, 1, SIZE + 1, Long.MAX_VALUE, Long.MIN_VALUE, -1
  };
  private static final long[] OFFSETS = {0, SIZE, SIZE - 1, Long.MAX_VALUE, Long.MIN_VALUE, -1};

  @TempDir Path folder;

  @Test
  void floodsLeaveNothingBehindAndHurtNobody() throws Exception {
    Path disk = folder.resolve("disk.raw");
    try (var file = new RandomAccessFile(disk.toFile(), "rw")) {
      file.setLength(SIZE);
    }
    Path socket = folder.resolve("nbd.sock");
    try (Peer server = serve(disk, socket);
        BlockNode node =
            new Opener(OpenPolicy.NOTHING, new NbdDriver())
                .open("nbd+unix:///?socket=" + socket, "raw", OpenMode.WRITE)) {
      var bystander = new Bystander(node);
      bystander.start();
      // Once before counting, so that what stays for good is there.
      everyFlood(socket, bystander);
      Path proc = Path.of("/proc/" + server.process().pid());
      server.await("alone with the bystander", () -> clients(proc) == 1);
      long descriptors = count(proc.resolve("fd"));
      long mappings = mappings(proc);
      for (int round = 0; round < 2; round++) {
        everyFlood(socket, bystander);
      }
      server.await("alone with the bystander again", () -> clients(proc) == 1);
      server.await("without idle workers", () -> named(proc, "nbd-worker") == 0);
      assertThat(count(proc.resolve("fd"))).as("descriptors").isEqualTo(descriptors);
      assertThat(mappings(proc)).as("mappings").isLessThan(mappings + MAPPINGS_SLACK);
      assertThat(peakKib(proc)).as("most memory ever, KiB").isLessThan(RESIDENT_KIB_MAX);
      bystander.finish();
      node.close();
      assertThat(server.err()).doesNotContain("Exception", "Error");
      assertThat(server.terminate()).isZero();
    }
  }

  private static Peer serve(Path disk, Path socket) {
    List<String> command =
        new ArrayList<>(
            Side.HAWSER.command(
                "qemu-nbd",
                "-t",
                "-e",
                "100",
                "--handshake-limit=2",
                "-k",
                socket.toString(),
                "-f",
                "raw",
                disk.toString()));
    // After env and its option; this variable counts more than the options of the command line.
    command.add(2, "_JAVA_OPTIONS=-Xmx64m");
    return Peers.start(command).awaitSocket(socket);
  }

  private static void everyFlood(Path socket, Bystander bystander) throws Exception {
    for (boolean extended : new boolean[] {false, true}) {
      cutShortAtEachByte(socket, extended);
      bystander.awaitProgress();
      absurdRequests(socket, extended);
      bystander.awaitProgress();
      answersThatNobodyReads(socket, extended, bystander);
    }
    absurdOptions(socket);
    bystander.awaitProgress();
    slowOnes(socket, bystander);
  }

  private static void cutShortAtEachByte(Path socket, boolean extended) throws IOException {
    byte[] whole = HostileClient.wholeConversation(extended);
    for (int length = 0; length <= whole.length; length++) {
      try (var client = new HostileClient(socket)) {
        client.send(Arrays.copyOf(whole, length));
      }
    }
  }

  private static void absurdOptions(Path socket) throws IOException {
    for (int code = 0; code <= 12; code++) {
      for (long length : LENGTHS) {
        try (var client = new HostileClient(socket)) {
          client.send(HostileClient.claimingOption(code, (int) length));
          client.endAndDrain();
        }
      }
    }
  }

  private static void absurdRequests(Path socket, boolean extended) throws IOException {
    for (int type = 0; type <= 9; type++) {
      for (long offset : OFFSETS) {
        for (long length : extended ? EXTENDED_LENGTHS : LENGTHS) {
          try (var client = new HostileClient(socket)) {
            client.send(HostileClient.greeting(extended));
            client.send(HostileClient.request(extended, type, offset, length));
            client.endAndDrain();
          }
        }
      }
    }
  }

  private static void answersThatNobodyReads(Path socket, boolean extended, Bystander bystander)
      throws Exception {
    byte[] read = HostileClient.request(extended, 0, 0, 1 << 20);
    byte[][] many = new byte[200][];
    Arrays.fill(many, read);
    try (var clients = new Clients()) {
      for (int i = 0; i < 8; i++) {
        var client = clients.add(socket);
        client.send(HostileClient.greeting(extended));
        client.send(HostileClient.joined(many));
      }
      bystander.awaitProgress();
    }
  }

  /** Silent in the handshake until the server hangs up; silent in the middle of a write. */
  private static void slowOnes(Path socket, Bystander bystander) throws Exception {
    byte[] start = HostileClient.wholeConversation(false);
    try (var writing = new Clients();
        var greeting = new Clients()) {
      for (int i = 0; i < FLOOD / 2; i++) {
        HostileClient client = writing.add(socket);
        client.send(HostileClient.greeting(false));
        client.send(HostileClient.request(false, 1, 0, i % 2 == 0 ? SIZE : 512 << 10));
        client.send(new byte[400 << 10]);
        greeting.add(socket).send(Arrays.copyOf(start, i));
      }
      bystander.awaitProgress();
      greeting.all.forEach(HostileClient::drain);
      bystander.awaitProgress();
    }
  }

  private static long clients(Path proc) {
    return named(proc, "nbd-client");
  }

  private static long named(Path proc, String start) {
    try (Stream<Path> threads = Files.list(proc.resolve("task"))) {
      return threads.filter(thread -> name(thread).startsWith(start)).count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String name(Path thread) {
    try {
      return Files.readString(thread.resolve("comm"));
    } catch (IOException endedMeanwhile) {
      return "";
    }
  }

  private static long count(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.count();
    }
  }

  private static long mappings(Path proc) throws IOException {
    return Files.readAllLines(proc.resolve("maps")).size();
  }

  private static long peakKib(Path proc) throws IOException {
    return Files.readAllLines(proc.resolve("status")).stream()
        .filter(line -> line.startsWith("VmHWM:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
        .findFirst()
        .orElseThrow();
  }

  /** Clients that are open together. */
  private static final class Clients implements AutoCloseable {
    final List<HostileClient> all = new ArrayList<>();

    HostileClient add(Path socket) throws IOException {
      all.add(new HostileClient(socket));
      return all.getLast();
    }

    @Override
    public void close() throws IOException {
      for (HostileClient client : all) {
        client.close();
      }
    }
  }

  /** Writes to the middle of the disk, where nobody else does, and reads it back. */
  private static final class Bystander extends Thread {
    private static final int BYTES = 64 << 10;
    private final BlockNode disk;
    private final Semaphore rounds = new Semaphore(0);
    private final AtomicReference<Throwable> fault = new AtomicReference<>();
    private volatile boolean done;

    Bystander(BlockNode disk) {
      this.disk = disk;
      setUncaughtExceptionHandler(
          (_, thrown) -> {
            fault.set(thrown);
            rounds.release(2);
          });
    }

    @Override
    public void run() {
      try (var arena = Arena.ofConfined()) {
        MemorySegment out = arena.allocate(BYTES, 8);
        MemorySegment in = arena.allocate(BYTES, 8);
        for (int round = 0; !done; round++) {
          out.fill((byte) round);
          disk.write(out, SIZE / 2, 0);
          disk.read(in, SIZE / 2);
          assertThat(in.mismatch(out)).as("first wrong byte").isEqualTo(-1);
          rounds.release();
        }
      } catch (BlockFault e) {
        throw new AssertionError(e);
      }
    }

    /** Waits until it has written and read once more than when it was asked. */
    void awaitProgress() throws InterruptedException {
      rounds.drainPermits();
      assertThat(fault.get()).isNull();
      rounds.acquire(2);
      assertThat(fault.get()).isNull();
    }

    void finish() throws InterruptedException {
      awaitProgress();
      done = true;
      join();
      assertThat(fault.get()).isNull();
    }
  }
}
