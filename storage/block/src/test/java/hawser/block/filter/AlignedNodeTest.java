package hawser.block.filter;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.base.BlockFault;
import hawser.block.BlkdebugEvent;
import hawser.block.BlockNode;
import hawser.block.Breakpoints;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.block.Options;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Writes of parts of blocks hold back those that overlap, and no others. */
class AlignedNodeTest {
  private static final int BLOCK = 4096;
  private static final int SIZE = 16 * BLOCK;

  @TempDir Path folder;
  private final Arena arena = Arena.ofAuto();
  private Path file;
  private BlockNode node;
  private Breakpoints points;

  @BeforeEach
  void open() throws Exception {
    file = folder.resolve("disk.img");
    Files.write(file, new byte[SIZE]);
    openAgain();
  }

  private void openAgain() throws BlockFault {
    node =
        new Opener(OpenPolicy.NOTHING)
            .open(Options.parse("driver=blkdebug,align=4k,image.filename=" + file), OpenMode.WRITE);
    points = node.breakpoints().orElseThrow();
  }

  @AfterEach
  void close() throws Exception {
    node.close();
  }

  private void write(long offset, int length, int value) {
    try {
      node.write(arena.allocate(length, BLOCK).fill((byte) value), offset, 0);
    } catch (BlockFault e) {
      throw new AssertionError(e);
    }
  }

  private Thread writing(long offset, int length, int value) {
    var thread = new Thread(() -> write(offset, length, value));
    thread.start();
    return thread;
  }

  private Thread stoppedAt(BlkdebugEvent event, String tag, long offset, int length, int value) {
    points.set(event, tag);
    Thread thread = writing(offset, length, value);
    points.await(tag);
    return thread;
  }

  private static void awaitWaiting(Thread thread) {
    while (thread.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
  }

  private void assertBytes(long offset, int length, int value) throws BlockFault {
    MemorySegment seen = arena.allocate(length, BLOCK).fill((byte) 99);
    node.read(seen, offset);
    assertThat(seen.toArray(ValueLayout.JAVA_BYTE)).containsOnly(value);
  }

  @Test
  void whatDoesNotOverlapGoesOn() throws Exception {
    Thread first = stoppedAt(BlkdebugEvent.PWRITEV_RMW_HEAD, "A", 512, 512, 1);
    Thread second = stoppedAt(BlkdebugEvent.PWRITEV_RMW_AFTER_HEAD, "B", BLOCK + 512, 512, 2);
    write(2 * BLOCK, BLOCK, 3);
    write(3 * BLOCK + 1, 10, 4);
    node.writeZeroes(4 * BLOCK, BLOCK, 0);
    points.resume("B");
    second.join();
    points.resume("A");
    first.join();
    assertBytes(0, 512, 0);
    assertBytes(512, 512, 1);
    assertBytes(BLOCK + 512, 512, 2);
    assertBytes(2 * BLOCK, BLOCK, 3);
    assertBytes(3 * BLOCK + 1, 10, 4);
  }

  @Test
  void whatOverlapsWaits() throws Exception {
    Thread first = stoppedAt(BlkdebugEvent.PWRITEV_RMW_AFTER_HEAD, "A", 512, 512, 1);
    Thread sameBlock = writing(1024, 512, 2);
    awaitWaiting(sameBlock);
    Thread both = writing(2048, BLOCK, 3);
    awaitWaiting(both);
    // One that waits is not in the way of a third, as in QEMU's own test 077.
    write(2 * BLOCK - 9, 9, 4);
    Thread whole = writing(2 * BLOCK, BLOCK, 5);
    whole.join();
    points.resume("A");
    first.join();
    sameBlock.join();
    both.join();
    assertBytes(512, 512, 1);
    assertBytes(1024, 512, 2);
    assertBytes(2048, BLOCK, 3);
    assertBytes(2048 + BLOCK, 2039, 0);
    assertBytes(2 * BLOCK - 9, 9, 4);
    assertBytes(2 * BLOCK, BLOCK, 5);
  }

  @Test
  void aWriteOfWholeBlocksWaitsForOneOfAPart() throws Exception {
    Thread first = stoppedAt(BlkdebugEvent.PWRITEV_RMW_AFTER_HEAD, "A", 512, 512, 1);
    Thread whole = writing(0, 2 * BLOCK, 3);
    awaitWaiting(whole);
    points.resume("A");
    first.join();
    whole.join();
    assertBytes(0, 2 * BLOCK, 3);
  }

  @Test
  void zeroingAndDiscardingWaitAsWell() throws Exception {
    write(0, BLOCK, 7);
    Thread first = stoppedAt(BlkdebugEvent.PWRITEV_RMW_AFTER_HEAD, "A", 512, 512, 1);
    var zeroing =
        new Thread(
            () -> {
              try {
                node.writeZeroes(0, 2 * BLOCK, 0);
              } catch (BlockFault e) {
                throw new AssertionError(e);
              }
            });
    zeroing.start();
    awaitWaiting(zeroing);
    points.resume("A");
    first.join();
    zeroing.join();
    assertBytes(0, 2 * BLOCK, 0);
  }

  @Test
  void nothingIsLostBehindAnEndThatIsCutBack() throws Exception {
    node.close();
    Files.write(file, new byte[1000]);
    openAgain();
    Thread growing = stoppedAt(BlkdebugEvent.PWRITEV_RMW_AFTER_HEAD, "A", 900, 200, 1);
    Thread further = writing(2 * BLOCK, BLOCK, 2);
    awaitWaiting(further);
    points.resume("A");
    growing.join();
    further.join();
    assertThat(node.length()).isEqualTo(3 * BLOCK);
    assertBytes(900, 200, 1);
    assertBytes(1100, 2 * BLOCK - 1100, 0);
    assertBytes(2 * BLOCK, BLOCK, 2);
  }
}
