package hawser.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.NodeUnderTest.Trait;
import java.io.File;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What {@link BlockNode} promises, asked of every kind of node that stores bytes. */
class BlockContractTest {
  private static final int MIB = 1 << 20;

  @TempDir Path folder;
  private final Arena arena = Arena.ofAuto();

  @AfterEach
  void detach() throws Exception {
    LoopDevices.detach();
  }

  private MemorySegment filled(int bytes, int value) {
    return arena.allocate(Math.max(bytes, 1), 4096).asSlice(0, bytes).fill((byte) value);
  }

  private byte[] read(BlockNode node, long offset, int bytes) throws BlockFault {
    MemorySegment into = filled(bytes, 0x5a);
    node.read(into, offset);
    return into.toArray(ValueLayout.JAVA_BYTE);
  }

  @ParameterizedTest
  @EnumSource
  void readsWhatWasWritten(NodeUnderTest kind) throws Exception {
    try (BlockNode node = kind.create(folder)) {
      assertThat(node.length()).isEqualTo(MIB);
      node.write(filled(8192, 7), 4096, 0);
      node.write(filled(100, 9), 5001, BlockNode.FUA);
      byte[] all = read(node, 0, 16384);
      byte[] expected = new byte[16384];
      Arrays.fill(expected, kind.first());
      Arrays.fill(expected, 4096, 12288, kind.kept(7));
      Arrays.fill(expected, 5001, 5101, kind.kept(9));
      assertThat(all).isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @EnumSource
  void anotherOpeningSeesWhatWasWritten(NodeUnderTest kind) throws Exception {
    try (BlockNode node = kind.create(folder)) {
      node.write(filled(MIB, 3), 0, 0);
      node.flush();
    }
    if (kind.has(Trait.WRITES_ALWAYS)) {
      assertThatThrownBy(() -> kind.open(kind.file(folder), OpenMode.READ))
          .hasMessage("Block node is read-only");
      try (BlockNode again = kind.open(kind.file(folder), OpenMode.WRITE)) {
        assertThat(read(again, 0, MIB)).containsOnly(kind.kept(3));
      }
      return;
    }
    try (BlockNode again = kind.open(kind.file(folder), OpenMode.READ)) {
      assertThat(read(again, 0, MIB)).containsOnly(kind.kept(3));
      assertThat(again.readOnly()).isTrue();
      var fault = catchThrowableOfType(BlockFault.class, () -> again.write(filled(512, 1), 0, 0));
      assertThat(fault.errno()).isEqualTo(Errno.EPERM);
    }
  }

  /** Random requests of any offset and length against an array; the seed is in the failure. */
  @ParameterizedTest
  @EnumSource
  void keepsUpWithAnArray(NodeUnderTest kind) throws Exception {
    long seed = System.nanoTime();
    var dice = new Random(seed);
    byte[] model = new byte[MIB];
    Arrays.fill(model, kind.first());
    try (BlockNode node = kind.create(folder)) {
      for (int round = 0; round < 100; round++) {
        int offset = dice.nextInt(MIB);
        int bytes = dice.nextInt(Math.min(MIB - offset, 70_000)) + 1;
        step(kind, node, dice, model, offset, bytes);
        int from = dice.nextInt(MIB);
        int count = dice.nextInt(Math.min(MIB - from, 70_000)) + 1;
        assertThat(read(node, from, count))
            .as("seed %d, round %d, %d bytes at %d", seed, round, count, from)
            .isEqualTo(Arrays.copyOfRange(model, from, from + count));
      }
      assertThat(read(node, 0, MIB)).as("seed %d", seed).isEqualTo(model);
    }
  }

  private void step(
      NodeUnderTest kind, BlockNode node, Random dice, byte[] model, int offset, int bytes)
      throws BlockFault {
    int value = dice.nextInt(256);
    switch (dice.nextInt(4)) {
      case 0 -> {
        int flags = dice.nextBoolean() ? BlockNode.MAY_UNMAP : 0;
        node.writeZeroes(offset, bytes, flags | (dice.nextBoolean() ? BlockNode.FUA : 0));
        Arrays.fill(model, offset, offset + bytes, (byte) 0);
      }
      case 1 -> {
        MemorySegment whole = filled(bytes, value);
        node.write(pieces(whole, dice), offset, 0);
        Arrays.fill(model, offset, offset + bytes, kind.kept(value));
      }
      case 2 -> {
        // A buffer that is aligned to nothing.
        MemorySegment odd = arena.allocate(bytes + 1, 1).asSlice(1, bytes).fill((byte) value);
        node.write(odd, offset, 0);
        Arrays.fill(model, offset, offset + bytes, kind.kept(value));
      }
      default -> {
        MemorySegment whole = filled(bytes, value);
        if (!node.writeNow(whole, offset, 0)) {
          node.write(whole, offset, BlockNode.FUA);
        }
        Arrays.fill(model, offset, offset + bytes, kind.kept(value));
      }
    }
  }

  private static MemorySegment[] pieces(MemorySegment whole, Random dice) {
    var pieces = new ArrayList<MemorySegment>();
    long at = 0;
    while (at < whole.byteSize()) {
      long bytes = Math.min(whole.byteSize() - at, dice.nextInt(9000));
      pieces.add(whole.asSlice(at, bytes));
      at += bytes;
    }
    return pieces.toArray(MemorySegment[]::new);
  }

  @ParameterizedTest
  @EnumSource
  void readsIntoManyPieces(NodeUnderTest kind) throws Exception {
    try (BlockNode node = kind.create(folder)) {
      node.write(filled(MIB, 0x11), 0, 0);
      node.write(filled(1, 0x22), 3000, 0);
      // More pieces than one system call takes.
      var pieces = new MemorySegment[3000];
      for (int i = 0; i < pieces.length; i++) {
        pieces[i] = arena.allocate(i % 3).fill((byte) 0x77);
      }
      node.read(pieces, 1);
      int at = 1;
      for (MemorySegment piece : pieces) {
        for (int i = 0; i < piece.byteSize(); i++, at++) {
          assertThat(piece.get(ValueLayout.JAVA_BYTE, i))
              .as("byte %d", at)
              .isEqualTo(kind.kept(at == 3000 ? 0x22 : 0x11));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void readNowAnswersTheSameOrNothing(NodeUnderTest kind) throws Exception {
    try (BlockNode node = kind.create(folder)) {
      node.write(filled(65536, 0x42), 0, 0);
      MemorySegment into = filled(65536, 0);
      if (node.readNow(into, 0)) {
        assertThat(into.toArray(ValueLayout.JAVA_BYTE)).containsOnly(kind.kept(0x42));
      } else {
        assertThat(kind).isNotIn(NodeUnderTest.FILE, NodeUnderTest.RAW, NodeUnderTest.RAW_OFFSET);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void refusesWhatIsOutside(NodeUnderTest kind) throws Exception {
    try (BlockNode node = kind.create(folder)) {
      assertThatThrownBy(() -> node.read(filled(512, 0), -512)).isInstanceOf(BlockFault.class);
      assertThatThrownBy(() -> node.write(filled(512, 0), -512, 0)).isInstanceOf(BlockFault.class);
      assertThatThrownBy(() -> node.writeZeroes(Long.MAX_VALUE, 512, 0))
          .isInstanceOf(BlockFault.class);
      assertThatThrownBy(() -> node.extent(MIB + 10_000, 1)).isInstanceOf(BlockFault.class);
      if (!kind.has(Trait.GROWS_ALONE)) {
        assertThatThrownBy(() -> node.read(filled(1024, 0), MIB - 512))
            .isInstanceOf(BlockFault.class);
        assertThatThrownBy(() -> node.write(filled(1024, 0), MIB - 512, 0))
            .isInstanceOf(BlockFault.class);
        assertThatThrownBy(() -> node.writeZeroes(MIB, 512, 0)).isInstanceOf(BlockFault.class);
        assertThatThrownBy(() -> node.discard(MIB - 512, 1024)).isInstanceOf(BlockFault.class);
        assertThat(node.length()).isEqualTo(MIB);
      } else {
        node.write(filled(1000, 5), MIB + 500, 0);
        assertThat(node.length()).isEqualTo(MIB + 1500);
        assertThat(read(node, MIB, 500)).containsOnly(0);
        assertThat(read(node, MIB + 500, 1000)).containsOnly(5);
      }
      node.write(filled(512, 6), MIB - 512, 0);
      assertThat(read(node, MIB - 512, 512)).containsOnly(kind.kept(6));
    }
  }

  @ParameterizedTest
  @EnumSource
  void extentsCoverTheDiskAndTellHoles(NodeUnderTest kind) throws Exception {
    try (BlockNode node = kind.create(folder)) {
      node.write(filled(MIB, 1), 0, 0);
      node.writeZeroes(256 << 10, 256 << 10, BlockNode.MAY_UNMAP);
      node.flush();
      long at = 0;
      List<Extent> found = new ArrayList<>();
      while (at < MIB) {
        Extent extent = node.extent(at, MIB - at);
        assertThat(extent.offset()).isEqualTo(at);
        assertThat(extent.length()).isBetween(1L, MIB - at);
        found.add(extent);
        at = extent.end();
      }
      for (Extent extent : found) {
        if (extent.kind().zero()) {
          assertThat(read(node, extent.offset(), (int) extent.length())).containsOnly(0);
        }
      }
      assertThat(found.stream().anyMatch(extent -> extent.kind().zero()))
          .isNotEqualTo(kind.has(Trait.SHOWS_NO_HOLES));
    }
  }

  @ParameterizedTest
  @EnumSource
  void discardLosesNothingAround(NodeUnderTest kind) throws Exception {
    try (BlockNode node = kind.create(folder)) {
      node.write(filled(MIB, 1), 0, 0);
      node.discard(100_000, 300_001);
      assertThat(read(node, 0, 100_000)).containsOnly(kind.kept(1));
      assertThat(read(node, 400_001, MIB - 400_001)).containsOnly(kind.kept(1));
      assertThat(read(node, 100_000, 300_001)).containsAnyOf(0, 1);
    }
  }

  @ParameterizedTest
  @EnumSource
  void growsAndShrinks(NodeUnderTest kind) throws Exception {
    try (BlockNode node = kind.create(folder)) {
      if (!kind.has(Trait.GROWS)) {
        var fault =
            catchThrowableOfType(BlockFault.class, () -> node.resize(2 * MIB, Preallocation.OFF));
        assertThat(fault.errno()).isIn(Errno.EOPNOTSUPP, Errno.EINVAL);
        assertThat(node.length()).isEqualTo(MIB);
        return;
      }
      node.write(filled(MIB, 1), 0, 0);
      if (kind.has(Trait.SHRINKS)) {
        node.resize(MIB / 2, Preallocation.OFF);
        node.resize(MIB, Preallocation.OFF);
        assertThat(read(node, MIB / 2, MIB / 2)).containsOnly(0);
      } else {
        var fault =
            catchThrowableOfType(BlockFault.class, () -> node.resize(MIB / 2, Preallocation.OFF));
        assertThat(fault.errno()).isEqualTo(Errno.EOPNOTSUPP);
      }
      node.resize(MIB + MIB / 2, Preallocation.FALLOC);
      node.resize(2 * MIB, Preallocation.FULL);
      assertThat(node.length()).isEqualTo(2 * MIB);
      assertThat(read(node, MIB, MIB)).containsOnly(0);
      assertThat(read(node, 0, MIB / 2)).containsOnly(1);
      assertThatThrownBy(() -> node.resize(MIB, Preallocation.FULL))
          .hasMessageMatching(
              "Cannot use preallocation for shrinking files"
                  + "|Preallocation can't be used for shrinking an image");
    }
  }

  @ParameterizedTest
  @EnumSource
  void overlappingWritesLeaveWholeSectors(NodeUnderTest kind) throws Exception {
    try (BlockNode node = kind.create(folder)) {
      Thread[] writers = new Thread[4];
      var faults = new ArrayList<Throwable>();
      for (int i = 0; i < writers.length; i++) {
        MemorySegment mine = filled(64 << 10, i + 1);
        long offset = i * 512L;
        writers[i] =
            new Thread(
                () -> {
                  try {
                    for (int round = 0; round < 20; round++) {
                      node.write(mine, offset, 0);
                      // Right beside the others', in a block that all of them share.
                      node.write(mine.asSlice(0, 64), (512 << 10) + offset / 8, 0);
                    }
                  } catch (BlockFault e) {
                    synchronized (faults) {
                      faults.add(e);
                    }
                  }
                });
        writers[i].start();
      }
      for (Thread writer : writers) {
        writer.join();
      }
      assertThat(faults).isEmpty();
      byte[] shared = read(node, 0, 66048);
      for (int at = 0; at < shared.length; at += 512) {
        assertThat(Arrays.copyOfRange(shared, at, at + 512)).containsOnly(shared[at]);
        assertThat(shared[at]).isBetween(kind.kept(1), kind.kept(4));
      }
      for (int i = 0; i < writers.length; i++) {
        assertThat(read(node, (512 << 10) + i * 64, 64)).containsOnly(kind.kept(i + 1));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void closingGivesEverythingBack(NodeUnderTest kind) throws Exception {
    kind.create(folder).close();
    int before = descriptors();
    for (int i = 0; i < 20; i++) {
      BlockNode node = kind.open(kind.file(folder), OpenMode.WRITE);
      node.write(filled(512, i), 0, 0);
      node.close();
      node.close();
    }
    if (!kind.has(Trait.FORGETS)) {
      assertThatThrownBy(() -> kind.open(folder.resolve("absent"), OpenMode.WRITE))
          .hasMessageStartingWith("Could not open '" + folder.resolve("absent"))
          .hasMessageEndingWith("': No such file or directory");
    }
    // What other tests' processes left open may go away meanwhile.
    assertThat(descriptors()).isLessThanOrEqualTo(before);
  }

  private static int descriptors() {
    String[] open = new File("/proc/self/fd").list();
    return open == null ? 0 : open.length;
  }
}
