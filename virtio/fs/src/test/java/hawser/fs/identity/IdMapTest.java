package hawser.fs.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Numbers of users between guest and host. */
class IdMapTest {
  private static IdMap map(String... rules) {
    return IdMap.of(Stream.of(rules).map(IdRule::parse).toList());
  }

  @Test
  void withoutRulesNothingChanges() {
    assertThat(IdMap.NONE.onHost(1000)).isEqualTo(1000);
    assertThat(IdMap.NONE.inGuest(1000)).isEqualTo(1000);
    assertThat(IdMap.NONE.onHost(-2)).isEqualTo(0xffff_fffeL);
  }

  @Test
  void eachRuleDoesWhatItSays() {
    IdMap both = map("map:1000:5000:10");
    assertThat(both.onHost(1009)).isEqualTo(5009);
    assertThat(both.inGuest(5009)).isEqualTo(1009);
    assertThat(both.onHost(1010)).isEqualTo(1010);
    IdMap there = map("guest:0:100000:1000", "host:100000:0:1000");
    assertThat(there.onHost(0)).isEqualTo(100000);
    assertThat(there.inGuest(100999)).isEqualTo(999);
    IdMap squashed = map("squash-guest:0:1000:4294967295", "squash-host:0:0:4294967295");
    assertThat(squashed.onHost(77)).isEqualTo(1000);
    assertThat(squashed.inGuest(77)).isZero();
    assertThat(map("forbid-guest:0:1").onHost(0)).isEqualTo(IdMap.FORBIDDEN);
  }

  @ParameterizedTest
  @CsvSource({
    "guest:0:1000:10, 9, 1009, 9",
    "guest:0:1000:10, 10, 10, 10",
    "guest:0:1000:10, 1009, 1009, 1009",
    "host:1000:0:10, 1009, 1009, 9",
    "squash-guest:0:1000:10, 9, 1000, 9",
    "squash-host:0:7:10, 9, 9, 7",
    "map:0:1000:10, 9, 1009, 9",
    "map:0:1000:10, 1009, 1009, 9",
    "forbid-guest:5:2, 6, -1, 6",
    "forbid-guest:5:2, 7, 7, 7",
    "MAP/0/1000/10, 3, 1003, 3"
  })
  void aRuleIsForOneDirectionOrBoth(String rule, int id, long onHost, int inGuest) {
    assertThat(map(rule).onHost(id)).isEqualTo(onHost);
    assertThat(map(rule).inGuest(id)).isEqualTo(inGuest);
  }

  @Test
  void bothSidesOfAMapAreEachOthers() {
    IdMap map = map("map:0:100000:1000");
    for (int id = 0; id < 1000; id++) {
      assertThat(map.inGuest((int) map.onHost(id))).isEqualTo(id);
    }
  }

  @Test
  void rulesAboutTheSameNumbersAreRefused() {
    assertThatThrownBy(() -> map("guest:0:10:10", "squash-guest:5:0:1"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "map",
        "map:1:2",
        "map:1:2:3:4",
        "odd:1:2:3",
        "map:a:2:3",
        "guest::2:3",
        "forbid-guest:1:2:3",
        "map:1:4294967296:1",
        "guest:4294967295:0:2"
      })
  void whatIsNoRuleIsRefused(String text) {
    assertThatThrownBy(() -> IdMap.of(List.of(IdRule.parse(text))))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
