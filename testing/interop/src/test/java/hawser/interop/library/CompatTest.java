package hawser.interop.library;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Side;
import hawser.tools.Command;
import hawser.tools.Option;
import hawser.tools.Program;
import hawser.tools.Programs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** COMPAT.md speaks of every option, and names only tests that are there. */
class CompatTest {
  static final Iterable<String> PROGRAMS = Programs.NAMES;

  private static String page() throws Exception {
    return Files.readString(Side.ROOT.resolve("COMPAT.md"));
  }

  @ParameterizedTest
  @FieldSource("PROGRAMS")
  void everyOptionIsThere(String name) throws Exception {
    Program program = Objects.requireNonNull(Programs.named(name));
    String section = page().replaceAll("(?s).*\n## " + name + "\\b(.*?)\n## .*", "$1");
    assertThat(program.commands()).isNotEmpty();
    var unspoken = new TreeSet<String>();
    for (Command command : program.commands()) {
      for (Option option : command.options()) {
        String spelling =
            option.longName().isEmpty() ? "-" + option.letter() : "--" + option.longName();
        if (!section.contains("`" + spelling + "`")) {
          unspoken.add(command.name() + " " + spelling);
        }
      }
    }
    assertThat(unspoken).isEmpty();
  }

  @org.junit.jupiter.api.Test
  void theTestsItNamesAreThere() throws Exception {
    Path tests = Side.ROOT.resolve("testing/interop/src/test/java/hawser/interop");
    var named = java.util.regex.Pattern.compile("\\b([a-z0-9]+\\.[A-Z][A-Za-z]+Test)\\b");
    assertThat(named.matcher(page()).results().map(found -> found.group(1)))
        .isNotEmpty()
        .allSatisfy(test -> assertThat(tests.resolve(test.replace('.', '/') + ".java")).exists());
  }
}
