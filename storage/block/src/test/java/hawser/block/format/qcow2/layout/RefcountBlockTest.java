package hawser.block.format.qcow2.layout;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Refcounts of every width: what is stored is found again, and neighbours stay as they are. */
class RefcountBlockTest {
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6})
  void keepsEveryValueApart(int order) {
    int count = (512 * 8) >> order;
    long max = order == 6 ? -1L : (1L << (1 << order)) - 1;
    MemorySegment block = MemorySegment.ofArray(new byte[512]);
    long[] expected = new long[count];
    var dice = new Random(order);
    for (int i = 0; i < 4 * count; i++) {
      int at = dice.nextInt(count);
      expected[at] = dice.nextLong() & max;
      RefcountBlock.set(block, order, at, expected[at]);
    }
    for (int i = 0; i < count; i++) {
      assertThat(RefcountBlock.get(block, order, i)).as("index " + i).isEqualTo(expected[i]);
    }
  }

  @Test
  void narrowOnesStartAtTheLeastSignificantBit() {
    MemorySegment block = MemorySegment.ofArray(new byte[8]);
    RefcountBlock.set(block, 0, 1, 1);
    RefcountBlock.set(block, 1, 4, 3);
    RefcountBlock.set(block, 2, 5, 0xa);
    assertThat(block.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 2);
    assertThat(block.get(ValueLayout.JAVA_BYTE, 1)).isEqualTo((byte) 3);
    assertThat(block.get(ValueLayout.JAVA_BYTE, 2)).isEqualTo((byte) 0xa0);
  }
}
