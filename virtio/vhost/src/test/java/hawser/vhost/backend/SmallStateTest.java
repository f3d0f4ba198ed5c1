package hawser.vhost.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class SmallStateTest {
  private static final SmallState FORM = new SmallState("test", 0x54534554, 4, 1, 3);

  private static byte[] written(SmallState form, int... numbers) throws IOException {
    var state = new ByteArrayOutputStream();
    ByteBuffer items = form.items(numbers.length);
    Arrays.stream(numbers).forEach(items::putInt);
    form.write(items, state);
    return state.toByteArray();
  }

  private static ByteBuffer read(byte[] state) throws IOException {
    return FORM.read(new ByteArrayInputStream(state));
  }

  @Test
  void whatWasWrittenIsRead() throws Exception {
    ByteBuffer items = read(written(FORM, 7, -1));
    assertThat(items.getInt()).isEqualTo(7);
    assertThat(items.getInt()).isEqualTo(-1);
    assertThat(items.hasRemaining()).isFalse();
  }

  @Test
  void anotherDevicesAndTooManyAreRefused() throws Exception {
    var other = new SmallState("other", 0x52544f, 4, 0, 4);
    assertThatThrownBy(() -> read(written(other, 1)))
        .isInstanceOf(IOException.class)
        .hasMessage("not the state of a test device");
    var longer = new SmallState("test", FORM.magic(), 4, 0, 4);
    assertThatThrownBy(() -> read(written(longer, 1, 2, 3, 4)))
        .isInstanceOf(IOException.class)
        .hasMessage("the state of a test device has 4 items, not 1 to 3");
    assertThatThrownBy(() -> read(written(longer)))
        .isInstanceOf(IOException.class)
        .hasMessage("the state of a test device has 0 items, not 1 to 3");
  }

  @Test
  void aDamagedOneIsRefused() throws Exception {
    byte[] good = written(FORM, 7, 8, 9);
    for (int length = 0; length < good.length; length++) {
      byte[] cut = Arrays.copyOf(good, length);
      assertThatThrownBy(() -> read(cut)).isInstanceOf(IOException.class);
    }
    byte[] more = Arrays.copyOf(good, good.length + 1);
    assertThatThrownBy(() -> read(more)).isInstanceOf(IOException.class);
    for (int bit = 0; bit < good.length * 8; bit++) {
      byte[] flipped = good.clone();
      flipped[bit / 8] ^= (byte) (1 << bit % 8);
      assertThatThrownBy(() -> read(flipped)).isInstanceOf(IOException.class);
    }
  }
}
