package hawser.testkit.node;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CrashStatesTest {
  private static final int BYTES = 16384;

  @TempDir Path folder;
  private final Arena arena = Arena.ofAuto();
  private final MemoryNode disk = new MemoryNode("disk", BYTES);
  private final MemoryNode before = disk.copy();
  private final RecordingNode recorder = new RecordingNode(disk);

  private MemorySegment filled(int bytes, int value) {
    return arena.allocate(bytes).fill((byte) value);
  }

  private byte[] content(BlockNode node) throws BlockFault {
    MemorySegment all = arena.allocate(node.length());
    node.read(all, 0);
    return all.toArray(ValueLayout.JAVA_BYTE);
  }

  @Test
  void replayingEverythingGivesTheDisk() throws Exception {
    var dice = new Random(7);
    for (int i = 0; i < 500; i++) {
      int offset = dice.nextInt(BYTES);
      int bytes = 1 + dice.nextInt(6000);
      switch (dice.nextInt(5)) {
        case 0 -> recorder.writeZeroes(offset, bytes, BlockNode.MAY_UNMAP);
        case 1 -> recorder.discard(offset, bytes);
        case 2 -> recorder.resize(BYTES + bytes, hawser.block.Preallocation.OFF);
        case 3 -> recorder.flush();
        default -> recorder.write(filled(bytes, i), offset, i % 7 == 0 ? BlockNode.FUA : 0);
      }
    }
    var states = new CrashStates(before, recorder.operations());
    while (states.advance()) {
      assertThat(states.done()).isPositive();
    }
    assertThat(content(states.whole())).isEqualTo(content(disk));
    recorder.flush();
    disk.save(folder.resolve("saved"));
    assertThat(content(MemoryNode.of(folder.resolve("saved")))).isEqualTo(content(disk));
  }

  @Test
  void whatWasFlushedIsInEveryState() throws Exception {
    recorder.write(filled(1024, 1), 0, 0);
    recorder.flush();
    recorder.write(filled(2048, 2), 4096, 0);
    recorder.write(filled(512, 3), 8192, BlockNode.FUA);
    var states = new CrashStates(before, recorder.operations());
    while (states.advance()) {
      assertThat(states.done()).isPositive();
    }
    assertThat(states.pending()).hasSize(2);
    Set<Integer> seen = new HashSet<>();
    var dice = new Random(1);
    for (int i = 0; i < 200; i++) {
      byte[] found = content(states.torn(dice));
      assertThat(Arrays.copyOfRange(found, 0, 1024)).containsOnly(1);
      assertThat(Arrays.copyOfRange(found, 8192, 8704)).containsOnly(3);
      int mask = 0;
      for (int sector = 0; sector < 4; sector++) {
        byte[] part = Arrays.copyOfRange(found, 4096 + sector * 512, 4608 + sector * 512);
        assertThat(part).containsOnly(part[0]);
        mask |= part[0] == 2 ? 1 << sector : 0;
      }
      seen.add(mask);
    }
    assertThat(seen).as("every tearing of four sectors").hasSize(16);
    assertThat(content(states.least())[4096]).isZero();
    assertThat(content(states.keeping(BitSet.valueOf(new long[] {1})))[4096]).isEqualTo((byte) 2);
  }

  @Test
  void copiesAreIndependent() throws Exception {
    disk.write(filled(BYTES, 1), 0, 0);
    MemoryNode copy = disk.copy();
    disk.write(filled(100, 2), 50, 0);
    copy.write(filled(100, 3), 50, 0);
    assertThat(content(disk)[60]).isEqualTo((byte) 2);
    assertThat(content(copy)[60]).isEqualTo((byte) 3);
    assertThat(content(copy)[200]).isEqualTo((byte) 1);
  }
}
