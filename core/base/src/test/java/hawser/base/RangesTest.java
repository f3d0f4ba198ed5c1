package hawser.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class RangesTest {
  @Test
  void containsDoesNotWrapNearTheTop() {
    assertThat(Ranges.contains(100, 0, 100)).isTrue();
    assertThat(Ranges.contains(100, 100, 0)).isTrue();
    assertThat(Ranges.contains(100, 1, 100)).isFalse();
    assertThat(Ranges.contains(100, Long.MAX_VALUE, Long.MAX_VALUE)).isFalse();
    assertThat(Ranges.contains(100, -1, 1)).isFalse();
    assertThat(Ranges.contains(100, 1, -1)).isFalse();
  }

  @Test
  void roundsToPowersOfTwo() {
    assertThat(Ranges.alignDown(4097, 4096)).isEqualTo(4096);
    assertThat(Ranges.alignUp(4097, 4096)).isEqualTo(8192);
    assertThat(Ranges.alignUp(4096, 4096)).isEqualTo(4096);
    assertThatThrownBy(() -> Ranges.alignUp(Long.MAX_VALUE, 4096))
        .isInstanceOf(ArithmeticException.class);
  }

  @Test
  void countsUnits() {
    assertThat(Ranges.unitsFor(0, 63)).isZero();
    assertThat(Ranges.unitsFor(64, 63)).isEqualTo(2);
    assertThat(Ranges.unitsFor(Long.MAX_VALUE, 2)).isEqualTo(1L << 62);
  }
}
