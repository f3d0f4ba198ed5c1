package hawser.block.filter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import hawser.base.BlockFault;
import hawser.base.Errno;
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
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** blkdebug, throttle and null as a rule's author sees them. */
class FiltersTest {
  @TempDir Path folder;
  private final Arena arena = Arena.ofAuto();

  private Path disk() throws Exception {
    Path file = folder.resolve("disk.img");
    Files.write(file, new byte[1 << 20]);
    return file;
  }

  private static BlockNode open(String options) throws BlockFault {
    return new Opener(OpenPolicy.NOTHING).open(Options.parse(options), OpenMode.WRITE);
  }

  private MemorySegment bytes(int count, int value) {
    return arena.allocate(count, 4096).fill((byte) value);
  }

  private Errno failure(BlockNode node, long offset) {
    var fault = catchThrowableOfType(BlockFault.class, () -> node.write(bytes(512, 1), offset, 0));
    return fault == null ? null : fault.errno();
  }

  @Test
  void injectsAnErrorOnceAtOneSector() throws Exception {
    try (BlockNode node =
        open(
            "driver=raw,file.driver=blkdebug,file.inject-error.0.event=write_aio,"
                + "file.inject-error.0.errno=28,file.inject-error.0.sector=3,"
                + "file.inject-error.0.once=on,file.image.driver=file,file.image.filename="
                + disk())) {
      assertThat(failure(node, 0)).isNull();
      assertThat(failure(node, 1536)).isEqualTo(Errno.ENOSPC);
      assertThat(failure(node, 1536)).isNull();
    }
  }

  @Test
  void changesStateByEvents() throws Exception {
    Path config = folder.resolve("rules");
    Files.writeString(
        config,
        """
        # a read arms the error, a flush disarms it
        [set-state]
        event = "read_aio"
        state = "1"
        new_state = "2"

        [inject-error]
        event = "write_aio"
        state = "2"
        iotype = "write"
        """);
    try (BlockNode node = open("driver=raw,file.filename=blkdebug:" + config + ":" + disk())) {
      assertThat(node.name()).isEqualTo("blkdebug:" + config + ":" + folder.resolve("disk.img"));
      assertThat(failure(node, 0)).isNull();
      node.read(bytes(512, 0), 0);
      assertThat(failure(node, 0)).isEqualTo(Errno.EIO);
    }
  }

  @Test
  void stopsARequestUntilItIsResumed() throws Exception {
    try (BlockNode node = open("driver=raw,file.filename=blkdebug::" + disk())) {
      Breakpoints points = node.breakpoints().orElseThrow();
      List<String> said = Collections.synchronizedList(new ArrayList<>());
      points.listen(said::add);
      points.set(BlkdebugEvent.WRITE_AIO, "A");
      var writer = new Thread(() -> assertThatCode(() -> node.write(bytes(512, 7), 0, 0)).isNull());
      writer.start();
      points.await("A");
      MemorySegment seen = bytes(512, 1);
      node.read(seen, 0);
      assertThat(seen.toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
      points.resume("A");
      writer.join();
      node.read(seen, 0);
      assertThat(seen.toArray(ValueLayout.JAVA_BYTE)).containsOnly(7);
      assertThat(said)
          .containsExactly("blkdebug: Suspended request 'A'", "blkdebug: Resuming request 'A'");
      assertThatThrownBy(() -> points.resume("A")).isInstanceOf(BlockFault.class);
      assertThatThrownBy(() -> points.remove("A")).isInstanceOf(BlockFault.class);
    }
  }

  @Test
  void cutsRequestsAndAlignsThem() throws Exception {
    try (BlockNode node =
        open(
            "driver=raw,file.driver=blkdebug,file.align=4k,file.max-transfer=8k,"
                + "file.opt-write-zero=16k,file.max-write-zero=32k,"
                + "file.inject-error.0.event=none,file.inject-error.0.iotype=write-zeroes,"
                + "file.inject-error.0.errno=5,"
                + "file.image.filename="
                + disk())) {
      node.write(bytes(100_000, 9), 1001, 0);
      MemorySegment all = bytes(100_000, 0);
      node.read(all, 1001);
      assertThat(all.toArray(ValueLayout.JAVA_BYTE)).containsOnly(9);
      // Less than a unit goes as data and meets no rule for zeroing.
      assertThatCode(() -> node.writeZeroes(4096, 8192, 0)).doesNotThrowAnyException();
      assertThatThrownBy(() -> node.writeZeroes(4096, 8192, BlockNode.NO_FALLBACK))
          .isInstanceOf(BlockFault.class);
      assertThatThrownBy(() -> node.writeZeroes(16384, 16384, 0)).isInstanceOf(BlockFault.class);
    }
    assertThatThrownBy(
            () -> open("driver=blkdebug,align=512,max-transfer=700,image.filename=" + disk()))
        .hasMessage("Cannot meet constraints with max-transfer 700");
  }

  @Test
  void namesWhatCannotBeNamedPlainly() throws Exception {
    Path file = disk();
    try (BlockNode node =
        open("driver=raw,offset=512,size=1024,file.driver=file,file.filename=" + file)) {
      assertThat(node.name())
          .isEqualTo(
              "json:{\"offset\": \"512\", \"driver\": \"raw\", \"size\": \"1024\","
                  + " \"file\": {\"driver\": \"file\", \"filename\": \""
                  + file
                  + "\"}}");
    }
  }

  @Test
  void throttleKeepsToItsRate() throws Exception {
    try (BlockNode node = open("driver=throttle,limits.iops-total=100,file.filename=" + disk())) {
      long start = System.nanoTime();
      for (int i = 0; i < 31; i++) {
        node.read(bytes(512, 0), 0);
      }
      // Ten at once, one beyond the brim, then one every 10 ms.
      assertThat(System.nanoTime() - start).isGreaterThan(190_000_000L);
      assertThat(node.readNow(bytes(512, 0), 0)).isFalse();
    }
    assertThatThrownBy(
            () -> open("driver=throttle,limits.iops-total-max=5,file.filename=" + disk()))
        .hasMessage("bps_max/iops_max require corresponding bps/iops values");
  }

  @Test
  void nullDiskReadsZeroesAndForgets() throws Exception {
    try (BlockNode node = open("driver=null-co,size=1M,read-zeroes=on")) {
      node.write(bytes(512, 3), 0, 0);
      MemorySegment seen = bytes(512, 4);
      node.read(seen, 0);
      assertThat(seen.toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
      assertThat(node.extent(0, 1 << 20).kind().zero()).isTrue();
      assertThatThrownBy(() -> node.read(bytes(512, 0), 1 << 20)).isInstanceOf(BlockFault.class);
    }
  }
}
