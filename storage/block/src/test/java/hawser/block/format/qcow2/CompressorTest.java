package hawser.block.format.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.block.format.qcow2.layout.Qcow2Header;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Each compressor's output expands to the same cluster, with rubbish behind it. */
class CompressorTest {
  private static final int CLUSTER = 65536;

  private static MemorySegment text(Arena arena) {
    MemorySegment cluster = arena.allocate(CLUSTER, 512);
    var dice = new Random(5);
    for (int i = 0; i < CLUSTER; i++) {
      cluster.set(ValueLayout.JAVA_BYTE, i, (byte) ('a' + dice.nextInt(4)));
    }
    // A repetition from farther away than 4 KiB, which must not be used.
    MemorySegment.copy(cluster, 0, cluster, 20000, 4000);
    return cluster;
  }

  @ParameterizedTest
  @ValueSource(strings = {"zlib", "jdk", "zstd"})
  void expandsToWhatItWas(String way) throws Exception {
    int type = way.equals("zstd") ? Qcow2Header.ZSTD : Qcow2Header.DEFLATE;
    try (var arena = Arena.ofConfined();
        var compressor = new Compressor(type);
        var decompressor = new Decompressor(type)) {
      MemorySegment cluster = text(arena);
      MemorySegment packed = arena.allocate(CLUSTER, 512);
      for (int round = 0; round < 3; round++) {
        int bytes =
            way.equals("jdk")
                ? compressor.jdk(cluster, packed)
                : compressor.compress(cluster, packed);
        assertThat(bytes).isBetween(1, CLUSTER / 2);
        packed.asSlice(bytes, 100).fill((byte) 0x5a);
        MemorySegment expanded = arena.allocate(CLUSTER, 512);
        decompressor.expand(packed.asSlice(0, bytes + 100), expanded);
        assertThat(expanded.mismatch(cluster)).isEqualTo(-1);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {Qcow2Header.DEFLATE, Qcow2Header.ZSTD})
  void saysWhenTheRoomDoesNotDo(int type) {
    try (var arena = Arena.ofConfined();
        var compressor = new Compressor(type)) {
      MemorySegment noise = arena.allocate(4096, 512);
      byte[] random = new byte[4096];
      new Random(6).nextBytes(random);
      noise.copyFrom(MemorySegment.ofArray(random));
      assertThat(compressor.compress(noise, arena.allocate(4095))).isZero();
      assertThat(compressor.jdk(noise, arena.allocate(4095))).isZero();
    }
  }
}
