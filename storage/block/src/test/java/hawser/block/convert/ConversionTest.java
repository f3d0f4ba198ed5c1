package hawser.block.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Copies between raw files; what formats add is tested where the formats are. */
class ConversionTest {
  private static final Opener OPENER = new Opener(OpenPolicy.NOTHING);

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void copiesDataAndHoles(long seed) throws IOException, BlockFault {
    var dice = new Random(seed);
    Path source = patchwork("source", dice, dice.nextInt(1, 24 << 20) / 512 * 512L);
    Path target = sized("target", Files.size(source));
    try (BlockNode from = read(source);
        BlockNode to = write(target)) {
      var conversion = new Conversion(from, to).workers(dice.nextInt(1, 9));
      if (dice.nextBoolean()) {
        conversion.outOfOrder();
      }
      conversion.run(Watcher.NOBODY);
    }
    assertThat(Files.mismatch(source, target)).as("seed %d", seed).isEqualTo(-1);
  }

  @Test
  void kernelCopiesWhereItCan() throws IOException, BlockFault {
    Path source = patchwork("source", new Random(9), 9 << 20);
    Path target = sized("target", 9 << 20);
    try (BlockNode from = read(source);
        BlockNode to = write(target)) {
      new Conversion(from, to).offload().run(Watcher.NOBODY);
    }
    assertThat(Files.mismatch(source, target)).isEqualTo(-1);
  }

  @Test
  void zeroesCoverOldData() throws IOException, BlockFault {
    Path source = patchwork("source", new Random(7), 9 << 20);
    Path target = patchwork("target", new Random(8), 9 << 20);
    try (BlockNode from = read(source);
        BlockNode to = write(target)) {
      new Conversion(from, to).targetHoldsData().run(Watcher.NOBODY);
    }
    assertThat(Files.mismatch(source, target)).isEqualTo(-1);
  }

  @Test
  void disksFollowOneAnotherAtWholeSectors() throws IOException, BlockFault {
    Path first = patchwork("first", new Random(1), 700);
    Path second = patchwork("second", new Random(2), 5000);
    Path target = sized("target", 1024 + 5120);
    try (BlockNode from = new ConcatNode(List.of(read(first), read(second)));
        BlockNode to = write(target)) {
      assertThat(from.length()).isEqualTo(1024 + 5120);
      new Conversion(from, to).run(Watcher.NOBODY);
    }
    byte[] copied = Files.readAllBytes(target);
    assertThat(copied).startsWith(Files.readAllBytes(first));
    assertThat(copied).containsSequence(Files.readAllBytes(second));
    assertThat(java.util.Arrays.copyOfRange(copied, 700, 1024)).containsOnly(0);
  }

  @Test
  void progressRisesToTheEnd() throws IOException, BlockFault {
    Path source = patchwork("source", new Random(3), 20 << 20);
    var last = new AtomicLong(-1);
    try (BlockNode from = read(source);
        BlockNode to = write(sized("target", 20 << 20))) {
      new Conversion(from, to)
          .run(
              (done, total) -> {
                assertThat(total).isEqualTo(20 << 20);
                assertThat(done).isGreaterThanOrEqualTo(last.getAndSet(done));
              });
    }
    assertThat(last).hasValue(20 << 20);
  }

  @Test
  void stopsWhenAsked() throws IOException, BlockFault {
    Path source = patchwork("source", new Random(4), 20 << 20);
    var impatient =
        new Watcher() {
          private long seen;

          @Override
          public void progress(long done, long total) {
            seen = done;
          }

          @Override
          public boolean cancelled() {
            return seen > 0;
          }
        };
    try (BlockNode from = read(source);
        BlockNode to = write(sized("target", 20 << 20))) {
      assertThatThrownBy(() -> new Conversion(from, to).run(impatient))
          .isInstanceOfSatisfying(
              BlockFault.class, fault -> assertThat(fault.errno()).isEqualTo(Errno.ECANCELED));
    }
  }

  @Test
  void leavesNoThreadBehind() throws IOException, BlockFault {
    Path source = patchwork("source", new Random(5), 20 << 20);
    try (BlockNode from = read(source);
        BlockNode to = write(sized("target", 20 << 20))) {
      new Conversion(from, to).run(Watcher.NOBODY);
    }
    assertThat(Thread.getAllStackTraces().keySet())
        .extracting(Thread::getName)
        .noneMatch(name -> name.startsWith("convert-"));
  }

  private static BlockNode read(Path file) throws BlockFault {
    return OPENER.open(file.toString(), "raw", OpenMode.READ);
  }

  private static BlockNode write(Path file) throws BlockFault {
    return OPENER.open(file.toString(), "raw", OpenMode.WRITE);
  }

  private Path sized(String name, long length) throws IOException {
    return patchwork(name, new Random(0), length, 1);
  }

  private Path patchwork(String name, Random dice, long length) throws IOException {
    return patchwork(name, dice, length, 3);
  }

  /**
   * A file of holes, zeroes and noise in pieces of odd sizes; with {@code kinds} 1, only a hole.
   */
  private Path patchwork(String name, Random dice, long length, int kinds) throws IOException {
    Path path = folder.resolve(name);
    try (var file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(length);
      for (long at = 0; at < length && kinds > 1; ) {
        var piece = new byte[(int) Math.min(length - at, dice.nextInt(1, 3 << 20))];
        int kind = dice.nextInt(kinds);
        if (kind > 0) {
          if (kind > 1) {
            dice.nextBytes(piece);
          }
          file.seek(at);
          file.write(piece);
        }
        at += piece.length;
      }
    }
    return path;
  }
}
