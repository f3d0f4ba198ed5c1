package hawser.interop.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.nbd.client.NbdDriver;
import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The server is killed with SIGKILL while clients write: nothing that a flush covered is lost,
 * every block holds one of the versions that were written to it, and the image is not corrupt.
 */
class KillTest {
  private static final int BLOCK = 4096;
  private static final int BLOCKS_PER_WRITER = 512;
  private static final int WRITERS = 4;
  private static final int WRITES_BEFORE_KILL = 6000;

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "QEMU, raw, ''",
    "HAWSER, raw, ''",
    "QEMU, qcow2, cluster_size=4k",
    "HAWSER, qcow2, cluster_size=4k",
    "HAWSER, qcow2, 'cluster_size=64k,lazy_refcounts=on'",
    "HAWSER, qcow2, 'cluster_size=16k,extended_l2=on'"
  })
  void nothingFlushedIsLost(Side side, String format, String options)
      throws BlockFault, IOException, InterruptedException {
    Peers.requires("qemu-img");
    Path disk = folder.resolve("disk." + format);
    create(disk, format, options);
    Path socket = folder.resolve("nbd.sock");
    List<Writer> writers = new ArrayList<>();
    try (Peer server = serve(side, format, disk, socket)) {
      BlockNode client =
          new Opener(OpenPolicy.NOTHING, new NbdDriver())
              .open("nbd+unix:///?socket=" + socket, "raw", OpenMode.WRITE);
      var enough = new CountDownLatch(WRITES_BEFORE_KILL);
      for (int i = 0; i < WRITERS; i++) {
        writers.add(new Writer(client, i, enough));
      }
      writers.forEach(Thread::start);
      enough.await();
      server.kill();
      for (Writer writer : writers) {
        writer.join();
      }
      assertThatThrownBy(client::close).as("unflushed writes").isInstanceOf(BlockFault.class);
    }
    requireNoCorruption(disk, format, options);
    judge(disk, format, writers);
  }

  /**
   * Two fio write at once, each to its half of the disk; the server is killed as soon as one of
   * them has flushed all it wrote, in the middle of the other's load. Its half then verifies.
   */
  @ParameterizedTest
  @CsvSource({
    "QEMU, raw, ''",
    "HAWSER, raw, ''",
    "QEMU, qcow2, cluster_size=4k",
    "HAWSER, qcow2, cluster_size=4k",
    "HAWSER, qcow2, 'cluster_size=64k,lazy_refcounts=on'"
  })
  void fioFindsWhatItFlushed(Side side, String format, String options) {
    Peers.requires("qemu-img", "fio");
    Path disk = folder.resolve("disk." + format);
    create(disk, format, options);
    Path socket = folder.resolve("nbd.sock");
    String engine = "--ioengine=nbd --uri=nbd+unix:///?socket=" + socket;
    try (Peer server = serve(side, format, disk, socket);
        Peer load =
            Peers.start(
                fio("load", engine + " --offset=" + FIO_BYTES + " --fsync=16 " + ENDLESS))) {
      Peers.run(fio("kept", engine + " --do_verify=0 --end_fsync=1 --fsync=64")).ok();
      assertThat(load.process().isAlive()).as("%s", load.err()).isTrue();
      server.kill();
      assertThat(load.await()).as("the load met the crash").isNotZero();
    }
    requireNoCorruption(disk, format, options);
    assertThat(fioVerifies(disk, format)).isZero();
    // The same question about a disk that lost one block, so that it is known to be one.
    Peers.run("qemu-io", "-f", format, "-c", "write -z 1M 4k", disk.toString()).ok();
    assertThat(fioVerifies(disk, format)).isNotZero();
  }

  private static final long FIO_BYTES = (long) WRITERS * BLOCKS_PER_WRITER * BLOCK / 2;
  private static final String ENDLESS = "--do_verify=0 --time_based --runtime=1h";

  private List<String> fio(String job, String options) {
    String common =
        "fio --name=%s --rw=randwrite --bs=4k --size=%d --iodepth=16 --verify=crc32c --randseed=7"
                .formatted(job, FIO_BYTES)
            + " --verify_state_save=0 --output=%s/%s.txt ".formatted(folder, job);
    return List.of((common + options).split(" +", -1));
  }

  /** The exit code of a fio that reads what the job "kept" wrote. */
  private int fioVerifies(Path disk, String format) {
    Path raw = folder.resolve("seen.raw");
    Peers.run("qemu-img", "convert", "-f", format, "-O", "raw", disk.toString(), raw.toString())
        .ok();
    return Peers.run(fio("kept", "--verify_only --verify_fatal=1 --filename=" + raw)).exitCode();
  }

  private static void requireNoCorruption(Path disk, String format, String options) {
    if (options.contains("lazy_refcounts")) {
      // The dirty bit says that refcounts are to be rebuilt before use; QEMU does it here.
      Peers.run("qemu-img", "check", "-q", "-r", "all", disk.toString());
    }
    Ran check = Peers.run("qemu-img", "check", "-f", format, disk.toString());
    assertThat(check.exitCode()).as("%s", check).isIn(format.equals("raw") ? RAW_RC : QCOW2_RC);
  }

  private static Peer serve(Side side, String format, Path disk, Path socket) {
    String at = socket.toString();
    return side.start("qemu-nbd", "-t", "-e", "8", "-k", at, "-f", format, disk.toString())
        .awaitSocket(socket);
  }

  private static final Object[] RAW_RC = {63};

  /** Sound, or with leaks only. */
  private static final Object[] QCOW2_RC = {0, 3};

  private static void create(Path disk, String format, String options) {
    var command = new ArrayList<>(List.of("qemu-img", "create", "-q", "-f", format));
    if (!options.isEmpty()) {
      command.addAll(List.of("-o", options));
    }
    command.addAll(
        List.of(disk.toString(), String.valueOf((long) WRITERS * BLOCKS_PER_WRITER * BLOCK)));
    Peers.run(command).ok();
  }

  private void judge(Path disk, String format, List<Writer> writers) throws IOException {
    Path raw = folder.resolve("seen.raw");
    Peers.run("qemu-img", "convert", "-f", format, "-O", "raw", disk.toString(), raw.toString())
        .ok();
    try (var file = FileChannel.open(raw)) {
      var block = ByteBuffer.allocate(BLOCK).order(ByteOrder.nativeOrder());
      for (Writer writer : writers) {
        for (int i = 0; i < BLOCKS_PER_WRITER; i++) {
          file.read(block.clear(), writer.offset(i));
          long version = block.getLong(0);
          for (int at = 0; at < BLOCK; at += Long.BYTES) {
            assertThat(block.getLong(at)).as("block is of one version").isEqualTo(version);
          }
          assertThat(version)
              .as("writer %d block %d", writer.number, i)
              .isBetween(writer.durable[i], writer.attempted[i]);
        }
      }
    }
  }

  /** Writes rising versions to blocks of its own and remembers what a flush made durable. */
  private static final class Writer extends Thread {
    private final BlockNode disk;
    private final int number;
    private final CountDownLatch enough;
    private final Random dice;
    final long[] attempted = new long[BLOCKS_PER_WRITER];
    final long[] durable = new long[BLOCKS_PER_WRITER];

    Writer(BlockNode disk, int number, CountDownLatch enough) {
      this.disk = disk;
      this.number = number;
      this.enough = enough;
      this.dice = new Random(number);
    }

    long offset(int block) {
      return ((long) number * BLOCKS_PER_WRITER + block) * BLOCK;
    }

    @Override
    public void run() {
      try (var arena = Arena.ofConfined()) {
        MemorySegment data = arena.allocate(BLOCK, BLOCK);
        for (long version = 1; ; version++) {
          int block = dice.nextInt(BLOCKS_PER_WRITER);
          for (long at = 0; at < BLOCK; at += Long.BYTES) {
            data.set(ValueLayout.JAVA_LONG, at, version);
          }
          attempted[block] = version;
          disk.write(data, offset(block), 0);
          enough.countDown();
          if (dice.nextInt(20) == 0) {
            disk.flush();
            System.arraycopy(attempted, 0, durable, 0, attempted.length);
          }
        }
      } catch (BlockFault serverIsGone) {
        assertThat(enough.getCount()).as("%s", serverIsGone).isZero();
      }
    }
  }
}
