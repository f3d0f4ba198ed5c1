package hawser.interop.house;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** ARCHITECTURE.md's map of modules is the one that is built. */
class ModuleMapTest {
  /** A row: folder, module, what it holds, what it uses. */
  private static final Pattern ROW =
      Pattern.compile("(?m)^\\| `([a-z/]+)` \\| ([a-z]+) \\| [^|]+ \\| ([^|]+) \\|$");

  private static final Path MAP = Path.of("ARCHITECTURE.md");

  private static Map<String, Set<String>> map() {
    return ROW.matcher(SourceTree.text(MAP))
        .results()
        .collect(
            Collectors.toMap(
                row -> row.group(1), row -> uses(row.group(3)), (a, _) -> a, TreeMap::new));
  }

  private static Set<String> uses(String cell) {
    return cell.strip().equals("nothing")
        ? Set.of()
        : new TreeSet<>(Set.of(cell.strip().split(", ")));
  }

  @Test
  void itsFoldersAreTheReactor() {
    assertThat(map().keySet())
        .containsExactlyInAnyOrderElementsOf(found("pom.xml", "<module>([^<]+)</module>"));
  }

  @Test
  void eachModuleUsesWhatTheMapSays() {
    assertThat(map())
        .allSatisfy((folder, uses) -> assertThat(usedBy(folder)).as(folder).isEqualTo(uses));
  }

  /** By the module descriptor of what ships, by the project file of what only tests. */
  private static Set<String> usedBy(String folder) {
    String descriptor = folder + "/src/main/java/module-info.java";
    return SourceTree.FILES.contains(Path.of(descriptor))
        ? found(descriptor, "(?m)^ *requires [a-z ]*hawser\\.([a-z]+);")
        : found(
            folder + "/pom.xml",
            "<dependency>\\s*<groupId>hawser</groupId>\\s*<artifactId>hawser-([a-z]+)</artifactId>");
  }

  private static Set<String> found(String file, String pattern) {
    return Pattern.compile(pattern)
        .matcher(SourceTree.text(Path.of(file)))
        .results()
        .map((MatchResult result) -> result.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
