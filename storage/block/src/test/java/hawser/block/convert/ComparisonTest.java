package hawser.block.convert;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.block.convert.Comparison.Result;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ComparisonTest {
  private static final int MIB = 1 << 20;

  @TempDir Path temp;

  /** A sparse file of {@code mib} MiB with single bytes at the given places. */
  private BlockNode disk(String name, long mib, long... ones) throws Exception {
    Path path = temp.resolve(name);
    try (var file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(mib * MIB);
      for (long at : ones) {
        file.seek(at);
        file.write(1);
      }
    }
    return new Opener(OpenPolicy.NOTHING).open(path.toString(), "raw", OpenMode.READ);
  }

  private static Result compare(BlockNode one, BlockNode two, boolean strict, int threads)
      throws Exception {
    try (one;
        two) {
      return Comparison.run(one, two, strict, threads, Watcher.NOBODY);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4})
  void equalContentIsTheSameWhateverItsAllocation(int threads) throws Exception {
    assertThat(compare(disk("a", 64, 5), disk("b", 64, 5), false, threads))
        .isEqualTo(new Result.Same(false));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4})
  void theFirstDifferenceCountsAndIsToldByItsSector(int threads) throws Exception {
    long first = 7L * MIB + 700;
    assertThat(compare(disk("a", 64, 5, first, 60L * MIB), disk("b", 64, 5), false, threads))
        .isEqualTo(new Result.Content(7L * MIB + 512, false));
  }

  @Test
  void theShorterDiskCountsAsFollowedByZeroes() throws Exception {
    assertThat(compare(disk("a", 8, 5), disk("b", 12, 5), false, 2))
        .isEqualTo(new Result.Same(true));
    assertThat(compare(disk("c", 8, 5), disk("d", 12, 5, 9L * MIB), false, 2))
        .isEqualTo(new Result.Content(9L * MIB, true));
  }

  @Test
  void strictlyLengthsMustAgree() throws Exception {
    assertThat(compare(disk("a", 8), disk("b", 12), true, 2)).isEqualTo(new Result.Length());
  }

  @Test
  void strictlyAllocationMustAgree() throws Exception {
    Path path = temp.resolve("zeroes");
    try (var file = new RandomAccessFile(path.toFile(), "rw")) {
      file.write(new byte[MIB]);
      file.setLength(8L * MIB);
    }
    BlockNode written = new Opener(OpenPolicy.NOTHING).open(path.toString(), "raw", OpenMode.READ);
    assertThat(compare(written, disk("hole", 8), true, 2)).isEqualTo(new Result.Allocation(0));
  }

  @Test
  void aWatcherMayStopIt() throws Exception {
    Watcher stop =
        new Watcher() {
          @Override
          public void progress(long done, long total) {}

          @Override
          public boolean cancelled() {
            return true;
          }
        };
    try (BlockNode one = disk("a", 8, 5);
        BlockNode two = disk("b", 8, 5)) {
      assertThat(Comparison.run(one, two, false, 2, stop)).isEqualTo(new Result.Cancelled());
    }
  }

  @Test
  void progressGrowsToTheEnd() throws Exception {
    var last = new long[2];
    try (BlockNode one = disk("a", 8, 5, 6L * MIB);
        BlockNode two = disk("b", 8, 5, 6L * MIB)) {
      Comparison.run(
          one,
          two,
          false,
          1,
          (done, total) -> {
            assertThat(done).isGreaterThanOrEqualTo(last[0]);
            last[0] = done;
            last[1] = total;
          });
    }
    assertThat(last).containsExactly(8L * MIB, 8L * MIB);
  }
}
