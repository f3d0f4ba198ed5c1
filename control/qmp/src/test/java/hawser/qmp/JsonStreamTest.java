package hawser.qmp;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.base.json.Json;
import hawser.base.json.QemuJson;
import hawser.qmp.JsonStream.Item;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonStreamTest {
  private final JsonStream stream = new JsonStream();

  private List<Item> feed(String text) {
    return feed(text.getBytes(StandardCharsets.UTF_8));
  }

  private List<Item> feed(byte[] bytes) {
    return stream.feed(ByteBuffer.wrap(bytes));
  }

  private static String shown(List<Item> items) {
    var out = new StringBuilder();
    for (Item item : items) {
      out.append(
          switch (item) {
            case Item.Value(Json json) -> QemuJson.compact(json) + ";";
            case Item.Broken _ -> "broken;";
          });
    }
    return out.toString();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'a': 1}{'b': 2}            | {\"a\": 1};{\"b\": 2};",
        "{\"a\": \"}{\\\"\"} [1]     | {\"a\": \"}{\\\"\"};[1];",
        "{'a': 'it\\'s'}             | {\"a\": \"it's\"};",
        "1 true null 'x'             | 1;true;null;\"x\";",
        "1[2]3{}                     | 1;[2];3;{}; ",
        "{'n': 18446744073709551615} | {\"n\": 18446744073709551615};",
        "{'s': 'inf'}                | {\"s\": \"inf\"};",
        "{'nan': nan}                | {\"nan\": null};",
        "'\\u0000\\uD83D\\uDE00'     | \"\\u0000\\uD83D\\uDE00\";",
        "{'a': 1, 'a': 2} 1          | broken;1; ",
        "[1,] {'a': 01} [NaN] [%d] 5 | broken;broken;broken;broken;5; ",
        "'\\uD83D' ['\\uDE00x'] {}   | broken;broken;{};",
        ", : ] 1                     | broken;broken;broken;1; ",
        "[1} {'a' 1} {1: 2} {}       | broken;broken;broken;{};",
      })
  void readsWhatQemuReads(String text, String wanted) {
    assertThat(shown(feed(text + " "))).isEqualTo(wanted);
  }

  @Test
  void aDoubleBeyondTheRangeComesAsQemuPrintsIt() {
    assertThat(shown(feed("{\"return\": -inf, \"id\": 1}"))).startsWith("{\"return\": -1000");
  }

  @Test
  void valuesComeWhereverTheStreamIsCut() {
    byte[] text =
        "{\"a\": [1, \"\u00e9\\\"}\"],\r\n  \"b\": {}}\r\n[true]\r\n"
            .getBytes(StandardCharsets.UTF_8);
    String whole = shown(feed(text));
    assertThat(whole).isEqualTo("{\"a\": [1, \"\\u00E9\\\"}\"], \"b\": {}};[true];");
    for (int cut = 0; cut <= text.length; cut++) {
      var items = new ArrayList<Item>();
      items.addAll(stream.feed(ByteBuffer.wrap(text, 0, cut)));
      items.addAll(stream.feed(ByteBuffer.wrap(text, cut, text.length - cut)));
      assertThat(shown(items)).as("cut at %d", cut).isEqualTo(whole);
      assertThat(stream.isInsideValue()).isFalse();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 0x1f, 0xff})
  void aControlByteIsOneErrorInAnyState(int control) {
    for (String before : List.of("", " ", "{", "{'a", "{'a\\", "[1", "tru")) {
      assertThat(shown(feed(before))).isEmpty();
      assertThat(shown(feed(new byte[] {(byte) control})))
          .as("after %s", before)
          .isEqualTo("broken;");
      assertThat(shown(feed("{'a': 1}"))).isEqualTo("{\"a\": 1};");
    }
  }

  @Test
  void invalidUtf8IsAnErrorOfItsValueOnly() {
    assertThat(shown(feed(new byte[] {'"', (byte) 0xc3, '"', '[', ']'}))).isEqualTo("broken;[];");
  }

  @Test
  void aRawNewlineInAStringIsAnError() {
    assertThat(shown(feed("'a\n"))).isEqualTo("broken;");
    assertThat(stream.isInsideValue()).isFalse();
  }

  @Test
  void nestingIsLimited() {
    assertThat(shown(feed("[".repeat(1024) + "]".repeat(1024)))).hasSize(2 * 1024 + 1);
    assertThat(feed("[".repeat(1025)))
        .containsExactly(new Item.Broken("nesting depth limit exceeded"));
    assertThat(shown(feed("{}"))).isEqualTo("{};");
  }

  @Test
  void tokensAreLimited() {
    assertThat(shown(feed("[" + "1,".repeat(JsonStream.TOKENS_MAX / 2)))).isEqualTo("broken;");
  }

  @Test
  void noiseNeverStopsTheStream() {
    long seed = new Random().nextLong();
    var dice = new Random(seed);
    byte[] alphabet = "{}[]:,\"'\\u d8trueinf-1e9 \n\u00e9\u0001".getBytes(StandardCharsets.UTF_8);
    for (int round = 0; round < 2000; round++) {
      var noise = new byte[dice.nextInt(60)];
      for (int i = 0; i < noise.length; i++) {
        noise[i] = alphabet[dice.nextInt(alphabet.length)];
      }
      List<Item> _ = feed(noise);
      List<Item> _ = feed(new byte[] {(byte) 0xff});
      assertThat(shown(feed("{'a': 1}"))).as("seed %d", seed).isEqualTo("{\"a\": 1};");
    }
  }
}
