package hawser.base;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What QEMU 10.0.2's tools accept and print. */
class SizeTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "512, 512",
    "1k, 1024",
    "1K, 1024",
    "1.5G, 1610612736",
    "10G, 10737418240",
    "0x10, 16",
    "7E, 8070450532247928832",
    "1b, 1",
    "' 1', 1",
    "+5, 5",
    "1.k, 1024",
    ".5k, 512",
    "9223372036854775807, 9223372036854775807"
  })
  void readsSizes(String text, long bytes) {
    assertThat(Size.parse(text)).hasValue(bytes);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "x",
        "-1",
        "1kk",
        "8E",
        "1.5",
        "1.5b",
        "0x",
        "0x1k",
        "1 k",
        "k",
        "9223372036854775808"
      })
  void refusesWhatIsNoSize(String text) {
    assertThat(Size.parse(text)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0 B",
    "512, 512 B",
    "999, 999 B",
    "1000, 0.977 KiB",
    "1024, 1 KiB",
    "197120, 192 KiB",
    "200704, 196 KiB",
    "1048576, 1 MiB",
    "1073741824, 1 GiB",
    "1610612736, 1.5 GiB",
    "1047552, 0.999 MiB",
    "1023590, 1e+03 KiB",
    "10239488, 9.77 MiB",
    "67436544, 64.3 MiB",
    "9223372036854775807, 8 EiB"
  })
  void printsThreeDigits(long bytes, String text) {
    assertThat(Size.human(bytes)).isEqualTo(text);
  }
}
