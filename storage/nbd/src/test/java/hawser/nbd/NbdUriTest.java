package hawser.nbd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.nbd.NbdUri.Place;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NbdUriTest {
  @ParameterizedTest
  @CsvSource({
    "nbd://example.com/disk, disk",
    "nbd+unix:///disk?socket=sock, disk",
    "nbd://example.com/, ''",
    "nbd://example.com, ''",
    "nbd://example.com//disk, /disk",
    "nbd://example.com/hello%20world, hello world"
  })
  void exportNamesAreThoseOfTheDocument(String uri, String export) {
    assertThat(NbdUri.parse(uri).export()).isEqualTo(export);
  }

  @Test
  void placesAreFound() {
    assertThat(NbdUri.parse("nbd://h").place()).isEqualTo(new Place.Tcp("h", 10809));
    assertThat(NbdUri.parse("nbd://[::1]:7/x").place()).isEqualTo(new Place.Tcp("::1", 7));
    assertThat(NbdUri.parse("nbd+unix:///?socket=%00abc").place())
        .isEqualTo(new Place.Unix("\0abc"));
    assertThat(NbdUri.parse("nbds+unix:///x?socket=s&tls-hostname=h").tls()).isTrue();
    assertThat(NbdUri.parse("nbds://bob@h/x").user()).isEqualTo("bob");
    assertThat(NbdUri.parse("nbd+vsock://3:55/").place()).isEqualTo(new Place.Vsock(3, 55));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://x", "nbd:x", "nbd+unix:///x", "nbd+unix://host/x?socket=s", "nbd://h:99999/",
        "nbd://h:x/", "nbd://h/%zz", "nbd://h/%1", "nbd://h/?what=ever", "nbd://h/?socket=s",
        "nbd+unix:///?socket=a&socket=b", "nbd://h/#f", "nbd+ssh://h/"
      })
  void whatMakesNoSenseIsRefusedWithWords(String uri) {
    assertThatThrownBy(() -> NbdUri.parse(uri))
        .isInstanceOf(IllegalArgumentException.class)
        .message()
        .isNotBlank();
  }

  @Test
  void noTextBreaksTheParser() {
    long seed = System.nanoTime();
    var dice = new Random(seed);
    String letters = "nbds+unix://?&=%0socket[]@#:/ \u00e9";
    for (int i = 0; i < 20_000; i++) {
      var text = new StringBuilder("nbd://");
      for (int n = dice.nextInt(30); n > 0; n--) {
        text.append(letters.charAt(dice.nextInt(letters.length())));
      }
      try {
        assertThat(NbdUri.parse(text.toString()).place()).as("seed " + seed).isNotNull();
      } catch (IllegalArgumentException refused) {
        assertThat(refused.getMessage()).as("seed " + seed).isNotBlank();
      }
    }
  }
}
