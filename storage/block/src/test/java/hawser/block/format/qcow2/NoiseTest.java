package hawser.block.format.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NoiseTest {
  @ParameterizedTest
  @ValueSource(ints = {512, 4096, 65536, 2 << 20})
  void randomBytesAreNoise(int size) {
    var random = new Random(size);
    int told = 0;
    for (int i = 0; i < 100; i++) {
      byte[] bytes = new byte[size];
      random.nextBytes(bytes);
      told += Noise.looksLike(ByteBuffer.wrap(bytes)) ? 1 : 0;
    }
    assertThat(told).isGreaterThanOrEqualTo(99);
  }

  @Test
  void whatCanBeCompressedIsNot() {
    byte[] text = "Not noise, but words. ".repeat(3000).getBytes(StandardCharsets.UTF_8);
    byte[] sevenBits = new byte[65536];
    new Random(7).nextBytes(sevenBits);
    for (int i = 0; i < sevenBits.length; i++) {
      sevenBits[i] &= 0x7f;
    }
    assertThat(Noise.looksLike(ByteBuffer.wrap(text))).isFalse();
    assertThat(Noise.looksLike(ByteBuffer.wrap(sevenBits))).isFalse();
    assertThat(Noise.looksLike(ByteBuffer.wrap(new byte[65536]))).isFalse();
  }

  @Test
  void tooFewBytesTellNothing() {
    byte[] few = new byte[255];
    new Random(1).nextBytes(few);
    assertThat(Noise.looksLike(ByteBuffer.wrap(few))).isFalse();
  }
}
