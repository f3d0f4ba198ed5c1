package hawser.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.UsageFault;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class GetoptTest {
  private static final List<Option> OPTIONS =
      List.of(
          Option.flag('h', "help", ""),
          Option.flag('q', "quiet", ""),
          Option.value('f', "format", "FMT", ""),
          Option.flag('U', "force-share", ""),
          Option.value("output", "OFMT", ""),
          Option.value("object", "OBJDEF", ""),
          new Option('v', "verbose", Option.Takes.MAYBE, "N", ""));

  private final ByteArrayOutputStream errors = new ByteArrayOutputStream();

  private Getopt over(boolean permute, String... args) {
    var nowhere = new PrintStream(new ByteArrayOutputStream(), false, StandardCharsets.UTF_8);
    var io =
        new Terminal(
            InputStream.nullInputStream(),
            nowhere,
            new PrintStream(errors, true, StandardCharsets.UTF_8));
    return new Getopt("prog", "hint", OPTIONS, args, io, permute);
  }

  /** Everything in order, as "key" or "key=value", then the operands. */
  private List<String> walk(String... args) {
    Getopt line = over(true, args);
    var seen = new ArrayList<String>();
    while (line.next()) {
      seen.add(line.hasValue() ? line.key() + "=" + line.value() : line.key());
    }
    seen.addAll(line.operands());
    return seen;
  }

  private void complains(String text, String... args) {
    assertThatThrownBy(() -> walk(args)).isInstanceOf(UsageFault.class).hasMessage("");
    assertThat(errors.toString(StandardCharsets.UTF_8)).isEqualTo("prog: " + text + "\nhint\n");
  }

  @Test
  void operandsMayStandBetweenOptions() {
    assertThat(walk("a", "-q", "b", "-f", "raw", "c")).containsExactly("q", "f=raw", "a", "b", "c");
  }

  @Test
  void arguments() {
    assertThat(walk("-fraw")).containsExactly("f=raw");
    assertThat(walk("--format=raw")).containsExactly("f=raw");
    assertThat(walk("--format", "raw")).containsExactly("f=raw");
    assertThat(walk("--format=")).containsExactly("f=");
    assertThat(walk("-f", "--quiet")).containsExactly("f=--quiet");
  }

  @Test
  void clustersEndAtTheFirstArgument() {
    assertThat(walk("-qUfq", "x")).containsExactly("q", "U", "f=q", "x");
  }

  @Test
  void optionalArgumentsAreOnlyTakenAttached() {
    assertThat(walk("-v3", "-v", "3")).containsExactly("v=3", "v", "3");
    assertThat(walk("--verbose=3", "--verbose", "3")).containsExactly("v=3", "v", "3");
  }

  @Test
  void longNamesMayBeCutShort() {
    assertThat(walk("--form=raw", "--out", "json", "--qu"))
        .containsExactly("f=raw", "output=json", "q");
  }

  @Test
  void twoDashesEndTheOptions() {
    assertThat(walk("-q", "--", "-q", "--x")).containsExactly("q", "-q", "--x");
  }

  @Test
  void aSingleDashIsAnOperand() {
    assertThat(walk("-", "-q")).containsExactly("q", "-");
  }

  @Test
  void withoutPermutationTheFirstOperandEndsTheOptions() {
    Getopt line = over(false, "-q", "create", "-f", "raw");
    assertThat(line.next()).isTrue();
    assertThat(line.next()).isFalse();
    assertThat(line.operands()).containsExactly("create", "-f", "raw");
  }

  @Test
  void unknownLongName() {
    complains("unrecognized option '--nope=1'", "--nope=1");
  }

  @Test
  void unknownLetter() {
    complains("invalid option -- 'z'", "-qz");
  }

  @Test
  void letterWithoutItsArgument() {
    complains("option requires an argument -- 'f'", "-qf");
  }

  @Test
  void longNameWithoutItsArgument() {
    complains("option '--output' requires an argument", "--outp");
  }

  @Test
  void argumentNobodyAskedFor() {
    complains("option '--quiet' doesn't allow an argument", "--qui=1");
  }

  @Test
  void ambiguity() {
    complains("option '--fo=x' is ambiguous; possibilities: '--format' '--force-share'", "--fo=x");
  }
}
