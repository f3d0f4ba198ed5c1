package hawser.interop.vhost;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Side;
import hawser.vhost.backend.BackEndOptions;
import hawser.vhost.frontend.BlkDriver;
import hawser.vhost.frontend.BlkQueue;
import hawser.vhost.frontend.BlkType;
import hawser.vhost.frontend.Driver;
import hawser.vhost.frontend.DriverPlan;
import hawser.vhost.frontend.GuestRam;
import hawser.vhost.frontend.Sockets;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Our back-end is killed under load, again and again: no request is lost, and no byte is wrong. */
class KillTest {
  private static final int BLOCKS = 512;
  private static final int BLOCK = 4096;
  private static final int SLOTS = 24;
  private static final int LIVES = 6;
  private static final long SEED = 20;

  @TempDir Path temp;

  /** What the disk must hold, and which block each slot writes. */
  private final byte[] expected = new byte[BLOCKS * BLOCK];

  private final boolean[] busy = new boolean[BLOCKS];
  private final int[] blockOf = new int[SLOTS];
  private final Random dice = new Random(SEED);
  private long done;

  @ParameterizedTest
  @ValueSource(longs = {DriverPlan.SPLIT, DriverPlan.PACKED})
  void noWriteIsLost(long ringFeatures) throws Exception {
    Path image = Files.write(temp.resolve("disk.raw"), expected);
    Path socket = temp.resolve("s");
    DriverPlan plan = DriverPlan.of(ringFeatures | BlkDriver.F_ALL).withQueues(1, 64, 4);
    Peer server = BlkBackEnd.HAWSER.serve(image, socket, 1);
    try (GuestRam ram = GuestRam.of(16 << 20);
        Driver driver = Driver.start(Sockets.connect(socket), ram, plan)) {
      var queue = new BlkQueue(driver.queue(0), ram, SLOTS, BLOCK, BLOCK);
      for (int life = 0; life < LIVES; life++) {
        write(queue, 100 + dice.nextInt(400));
        server.kill();
        server.close();
        server = BlkBackEnd.HAWSER.serve(image, socket, 1);
        driver.reconnect(Sockets.connect(socket));
      }
      finish(queue);
      assertThat(driver.queue(0).outstanding()).isZero();
      assertThat(done).isGreaterThan(100L * LIVES);
    } finally {
      server.close();
    }
    assertThat(Files.mismatch(image, Files.write(temp.resolve("expected"), expected)))
        .as("seed %d", SEED)
        .isEqualTo(-1);
  }

  /** The steps are numbered in SplitInflight and PackedInflight; before them is BEFORE_CALL. */
  @ParameterizedTest
  @CsvSource({DriverPlan.SPLIT + ", 7", DriverPlan.PACKED + ", 9"})
  void noWriteIsLostAtAnyStepOfTheRecord(long ringFeatures, int steps) throws Exception {
    Path image = Files.write(temp.resolve("disk.raw"), expected);
    Path socket = temp.resolve("s");
    DriverPlan plan = DriverPlan.of(ringFeatures | BlkDriver.F_ALL).withQueues(1, 64, 4);
    try (GuestRam ram = GuestRam.of(16 << 20)) {
      Peer server = dying(image, socket, BackEndOptions.BEFORE_CALL);
      try (Driver driver = Driver.start(Sockets.connect(socket), ram, plan)) {
        var queue = new BlkQueue(driver.queue(0), ram, SLOTS, BLOCK, BLOCK);
        for (int step = BackEndOptions.BEFORE_CALL; step <= steps; step++) {
          writeUntilDead(queue, server);
          assertThat(server.await()).isEqualTo(137);
          server.close();
          server =
              step == steps
                  ? BlkBackEnd.HAWSER.serve(image, socket, 1)
                  : dying(image, socket, step + 1);
          driver.reconnect(Sockets.connect(socket));
        }
        finish(queue);
      } finally {
        server.close();
      }
    }
    assertThat(Files.mismatch(image, Files.write(temp.resolve("expected"), expected)))
        .as("seed %d", SEED)
        .isEqualTo(-1);
  }

  /** A back-end that ends as if killed when a step comes for the so-manieth time. */
  private Peer dying(Path image, Path socket, int step) {
    List<String> command =
        Side.HAWSER.command(
            "vhost-user-blk",
            "--socket-path=" + socket,
            "--blk-file=" + image,
            "--format=raw",
            "--num-queues=1");
    String times = step + ":" + (50 + dice.nextInt(200));
    command.add(command.indexOf("/bin/sh"), "JDK_JAVA_OPTIONS=-Dhawser.vhost.crash=" + times);
    return Peers.start(command).awaitSocket(socket);
  }

  private void writeUntilDead(BlkQueue queue, Peer server) {
    long most = done + 100_000;
    while (server.process().isAlive()) {
      fill(queue);
      if (queue.queue().await(20)) {
        takeSome(queue);
      }
      assertThat(done).isLessThan(most);
    }
  }

  /** Writes until so many more are done; as many as there are slots stay under way. */
  private void write(BlkQueue queue, int count) {
    long until = done + count;
    while (done < until) {
      fill(queue);
      takeSome(queue);
    }
    fill(queue);
  }

  private void fill(BlkQueue queue) {
    for (int slot = queue.claim(); slot != BlkQueue.NONE; slot = queue.claim()) {
      int block = dice.nextInt(BLOCKS);
      while (busy[block]) {
        block = (block + 1) % BLOCKS;
      }
      byte[] content = new byte[BLOCK];
      Arrays.fill(content, (byte) dice.nextInt());
      ByteBuffer.wrap(content).putLong(dice.nextLong());
      System.arraycopy(content, 0, expected, block * BLOCK, BLOCK);
      queue.data(slot, BLOCK).asByteBuffer().put(content);
      busy[block] = true;
      blockOf[slot] = block;
      assertThat(queue.add(slot, BlkType.OUT, 8L * block, BLOCK, 0)).isTrue();
    }
    queue.queue().submit();
  }

  private void takeSome(BlkQueue queue) {
    assertThat(queue.queue().await(60_000)).isTrue();
    for (int slot = queue.take(); slot != BlkQueue.NONE; slot = queue.take()) {
      assertThat(queue.status(slot)).isZero();
      busy[blockOf[slot]] = false;
      queue.release(slot);
      done++;
    }
  }

  private void finish(BlkQueue queue) {
    while (queue.queue().outstanding() > 0) {
      takeSome(queue);
    }
  }
}
