package hawser.block.format.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.BlockFault;
import hawser.block.format.qcow2.layout.Qcow2Header;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CompressorTest {
  private static final int CLUSTER = 65536;
  private static final int DEFLATE = 0;

  @ParameterizedTest
  @ValueSource(ints = {DEFLATE, Qcow2Header.ZSTD})
  void whatIsCompressedExpandsAgain(int type) throws BlockFault {
    try (var arena = Arena.ofConfined();
        var compressor = new Compressor(type);
        var decompressor = new Decompressor(type)) {
      MemorySegment text = text(arena);
      MemorySegment packed = arena.allocate(CLUSTER);
      int bytes = compressor.compress(text, packed);
      assertThat(bytes).isBetween(1, CLUSTER / 2);
      MemorySegment plain = arena.allocate(CLUSTER);
      // A cluster's last sector holds bytes of the next one behind the stream.
      decompressor.expand(packed.asSlice(0, bytes + 100), plain);
      assertThat(plain.mismatch(text)).isEqualTo(-1);
    }
  }

  @Test
  void theJdkAloneDoesIt() throws BlockFault {
    try (var arena = Arena.ofConfined();
        var compressor = new Compressor(DEFLATE);
        var decompressor = new Decompressor(DEFLATE)) {
      MemorySegment text = text(arena);
      MemorySegment packed = arena.allocate(CLUSTER);
      int bytes = compressor.jdk(text, packed);
      assertThat(bytes).isBetween(1, CLUSTER / 2);
      MemorySegment plain = arena.allocate(CLUSTER);
      decompressor.expand(packed.asSlice(0, bytes), plain);
      assertThat(plain.mismatch(text)).isEqualTo(-1);
      assertThat(compressor.jdk(text, arena.allocate(bytes - 1))).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {DEFLATE, Qcow2Header.ZSTD})
  void noiseDoesNotFit(int type) {
    try (var arena = Arena.ofConfined();
        var compressor = new Compressor(type)) {
      var noise = new byte[CLUSTER];
      new Random(3).nextBytes(noise);
      MemorySegment in = arena.allocateFrom(ValueLayout.JAVA_BYTE, noise);
      assertThat(compressor.compress(in, arena.allocate(CLUSTER - 1))).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {DEFLATE, Qcow2Header.ZSTD})
  void brokenStreamsAreFaults(int type) {
    try (var arena = Arena.ofConfined();
        var compressor = new Compressor(type);
        var decompressor = new Decompressor(type)) {
      MemorySegment packed = arena.allocate(CLUSTER);
      int bytes = compressor.compress(text(arena), packed);
      MemorySegment plain = arena.allocate(CLUSTER);
      for (int cut = 0; cut < bytes; cut += 501) {
        MemorySegment part = packed.asSlice(0, cut);
        assertThatThrownBy(() -> decompressor.expand(part, plain)).isInstanceOf(BlockFault.class);
      }
    }
  }

  private static MemorySegment text(Arena arena) {
    var dice = new Random(7);
    var text = new byte[CLUSTER];
    for (int i = 0; i < text.length; i++) {
      text[i] = (byte) ('a' + dice.nextInt(3));
    }
    return arena.allocateFrom(ValueLayout.JAVA_BYTE, text);
  }
}
