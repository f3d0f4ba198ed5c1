package hawser.fs.xattr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.Errno;
import hawser.fs.Name;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Names of extended attributes between guest and host, by the cases of virtiofsd's document. */
class XattrMapTest {
  private static final String ALL_IN_USER = ":prefix:all::user.virtiofs.:\n:bad:all:::";

  @Test
  void aPrefixIsPutInFrontAndTakenAway() {
    XattrMap map = XattrMap.parse(ALL_IN_USER);
    assertThat(map.onHost(Name.of("trusted.a")))
        .isEqualTo(new XattrMap.OnHost.Named(Name.of("user.virtiofs.trusted.a")));
    assertThat(map.inGuest(Name.of("user.virtiofs.trusted.a"))).isEqualTo(Name.of("trusted.a"));
    assertThat(map.inGuest(Name.of("security.other"))).isNull();
  }

  @Test
  void someNamesArePrefixedAndOthersStay() {
    XattrMap map =
        XattrMap.parse(
            "/prefix/all/trusted./user.virtiofs./ /bad/server//trusted./ /bad/client/user.virtiofs.// /ok/all///");
    assertThat(map.onHost(Name.of("trusted.a")))
        .isEqualTo(new XattrMap.OnHost.Named(Name.of("user.virtiofs.trusted.a")));
    assertThat(map.onHost(Name.of("user.virtiofs.x")))
        .isEqualTo(new XattrMap.OnHost.Refused(Errno.EPERM));
    assertThat(map.onHost(Name.of("user.a")))
        .isEqualTo(new XattrMap.OnHost.Named(Name.of("user.a")));
    assertThat(map.inGuest(Name.of("trusted.hosts"))).isNull();
    assertThat(map.inGuest(Name.of("user.virtiofs.trusted.a"))).isEqualTo(Name.of("trusted.a"));
  }

  @Test
  void mapIsShortForThese() {
    XattrMap map = XattrMap.parse(":map::user.virtiofs.:");
    assertThat(map.onHost(Name.of("security.x")))
        .isEqualTo(new XattrMap.OnHost.Named(Name.of("user.virtiofs.security.x")));
    assertThat(map.inGuest(Name.of("security.x"))).isNull();
  }

  @ParameterizedTest
  @CsvSource({
    "'/prefix/all/trusted./user.virtiofs./ /bad/all/user.virtiofs./trusted./ /ok/all///'",
    "/map/trusted./user.virtiofs./",
    "ömapötrusted.öuser.virtiofs.ö"
  })
  void aShortRuleIsTheThreeThatItStandsFor(String rules) {
    XattrMap map = XattrMap.parse(rules);
    assertThat(map.onHost(Name.of("trusted.a")))
        .isEqualTo(new XattrMap.OnHost.Named(Name.of("user.virtiofs.trusted.a")));
    assertThat(map.onHost(Name.of("user.a")))
        .isEqualTo(new XattrMap.OnHost.Named(Name.of("user.a")));
    assertThat(map.onHost(Name.of("user.virtiofs.trusted.a")))
        .isEqualTo(new XattrMap.OnHost.Refused(Errno.EPERM));
    assertThat(map.inGuest(Name.of("user.virtiofs.trusted.a"))).isEqualTo(Name.of("trusted.a"));
    assertThat(map.inGuest(Name.of("trusted.a"))).isNull();
    assertThat(map.inGuest(Name.of("user.a"))).isEqualTo(Name.of("user.a"));
  }

  @Test
  void unsupportedIsAnErrorOfItsOwnAndHidden() {
    XattrMap map = XattrMap.parse(":unsupported:all:security.:security.::ok:all:::");
    assertThat(map.onHost(Name.of("security.a")))
        .isEqualTo(new XattrMap.OnHost.Refused(Errno.EOPNOTSUPP));
    assertThat(map.inGuest(Name.of("security.a"))).isNull();
  }

  @Test
  void whatNoRuleMatchesIsForbiddenAndHidden() {
    XattrMap map = XattrMap.parse(":ok:all:user.:user.:");
    assertThat(map.onHost(Name.of("trusted.a")))
        .isEqualTo(new XattrMap.OnHost.Refused(Errno.EPERM));
    assertThat(map.inGuest(Name.of("trusted.a"))).isNull();
  }

  @Test
  void whatTheGuestSetsItSeesAgain() {
    var dice = new Random(4);
    XattrMap map = XattrMap.parse(ALL_IN_USER);
    for (int i = 0; i < 1000; i++) {
      var bytes = new byte[1 + dice.nextInt(40)];
      dice.nextBytes(bytes);
      var name = new Name(bytes);
      assertThat(map.onHost(name)).isInstanceOf(XattrMap.OnHost.Named.class);
      Name onHost = ((XattrMap.OnHost.Named) map.onHost(name)).name();
      assertThat(map.inGuest(onHost)).isEqualTo(name);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "'', NoRulesProvided",
    ":prefix:all:a, IncompleteRule",
    ":odd:all:a:b:, InvalidType",
    ":ok:both:a:b:, InvalidScope",
    "':map:a:b: :ok:all:::', MapRuleViolation"
  })
  void whatIsNoMapIsRefused(String text, String why) {
    assertThatThrownBy(() -> XattrMap.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(why);
  }
}
