package hawser.sys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The second opinion is the JDK's zlib. */
class LibdeflateTest {
  private static final int CLUSTER = 65536;

  @BeforeEach
  void isInstalled() {
    assumeTrue(Libdeflate.find().isPresent(), "libdeflate is not installed");
  }

  @Test
  void zlibReadsWhatItCompresses() throws DataFormatException {
    byte[] text = someText(7);
    var plain = new byte[CLUSTER];
    try (var arena = Arena.ofConfined();
        var compressor = Libdeflate.find().orElseThrow().compressor(6)) {
      MemorySegment out = arena.allocate(CLUSTER);
      long length = compressor.compress(offHeap(arena, text), out);
      assertThat(length).isBetween(1L, CLUSTER - 1L);
      var inflater = new Inflater(true);
      inflater.setInput(out.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE));
      assertThat(inflater.inflate(plain)).isEqualTo(CLUSTER);
      inflater.end();
    }
    assertThat(plain).isEqualTo(text);
  }

  @Test
  void saysWhenTheResultDoesNotFit() {
    var noise = new byte[CLUSTER];
    new Random(3).nextBytes(noise);
    try (var arena = Arena.ofConfined();
        var compressor = Libdeflate.find().orElseThrow().compressor(6)) {
      assertThat(compressor.compress(offHeap(arena, noise), arena.allocate(CLUSTER - 1))).isZero();
    }
  }

  @Test
  void decompressesExactlyAndToleratesWhatFollows() {
    byte[] text = someText(11);
    try (var arena = Arena.ofConfined();
        var compressor = Libdeflate.find().orElseThrow().compressor(6);
        var decompressor = Libdeflate.find().orElseThrow().decompressor()) {
      MemorySegment packed = arena.allocate(CLUSTER);
      long length = compressor.compress(offHeap(arena, text), packed);
      MemorySegment plain = arena.allocate(CLUSTER);
      assertThat(decompressor.decompress(packed.asSlice(0, length + 100), plain)).isTrue();
      assertThat(plain.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(text);
      for (long cut = 0; cut < length; cut += 97) {
        assertThat(decompressor.decompress(packed.asSlice(0, cut), plain)).isFalse();
      }
      assertThat(decompressor.decompress(packed, arena.allocate(CLUSTER + 1))).isFalse();
      assertThat(decompressor.decompress(packed, arena.allocate(CLUSTER - 1))).isFalse();
    }
  }

  private static MemorySegment offHeap(Arena arena, byte[] bytes) {
    return arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
  }

  private static byte[] someText(long seed) {
    var dice = new Random(seed);
    var text = new byte[CLUSTER];
    for (int i = 0; i < text.length; i++) {
      text[i] = (byte) ('a' + dice.nextInt(4));
    }
    return text;
  }
}
