package hawser.interop.house;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.doctree.DocCommentTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePathScanner;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import javax.lang.model.element.Modifier;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;

/** The rules of STYLE.md that a program can judge. */
class SourceRulesTest {
  /** The longest Java file that a person may write. */
  private static final int LINES_MAX = 600;

  @Test
  void theTreeIsFound() {
    assertThat(SourceTree.mainJava()).hasSizeGreaterThan(30);
    assertThat(SourceTree.testJava()).isNotEmpty();
  }

  @Test
  void noFileIsLong() {
    assertThat(SourceTree.java(_ -> true))
        .filteredOn(file -> SourceTree.text(file).lines().count() > LINES_MAX)
        .isEmpty();
  }

  @Test
  void everyPublicTypeIsDocumented() throws Exception {
    var undocumented = new ArrayList<String>();
    visitTypes(
        (file, type, isPublic, comment) -> {
          if (isPublic && (comment == null || comment.getFirstSentence().isEmpty())) {
            undocumented.add(file + ": " + type.getSimpleName());
          }
        });
    assertThat(undocumented).isEmpty();
  }

  @Test
  void noTypeIsNamedForNothing() throws Exception {
    var vague = new ArrayList<String>();
    visitTypes(
        (file, type, _, _) -> {
          String name = type.getSimpleName().toString();
          // vhost-user's messages about the base of a vring and of the log are named so by it.
          if (name.matches(".*(Helper|Utils?|Manager|Impl|Base)|Abstract[A-Z].*")
              && !name.matches("(Get|Set)(Vring|Log)Base")) {
            vague.add(file + ": " + type.getSimpleName());
          }
        });
    assertThat(vague).isEmpty();
  }

  @Test
  void thereAreFourKindsOfFailureAndAssertionErrorIsOne() throws Exception {
    var kinds = new TreeSet<String>();
    visitTypes(
        (_, type, _, _) -> {
          Tree parent = type.getExtendsClause();
          if (parent != null && parent.toString().matches(".*(Exception|Error|Throwable|Fault)")) {
            kinds.add(type.getSimpleName().toString());
          }
        });
    assertThat(kinds).containsExactly("BlockFault", "PeerFault", "UsageFault");
  }

  @Test
  void onlySysCallsNativeFunctions() {
    List<Path> others =
        SourceTree.mainJava().stream().filter(file -> !file.startsWith("core/sys")).toList();
    assertThat(SourceTree.lines(others, "downcallHandle|upcallStub|System\\.load")).isEmpty();
  }

  @Test
  void everyPackageIsNullMarked() {
    var folders = new TreeSet<Path>();
    SourceTree.mainJava().stream()
        .filter(file -> !file.endsWith("module-info.java"))
        .forEach(file -> folders.add(Objects.requireNonNull(file.getParent())));
    assertThat(folders)
        .allSatisfy(
            folder -> {
              Path info = folder.resolve("package-info.java");
              assertThat(SourceTree.FILES).contains(info);
              assertThat(SourceTree.text(info)).contains("NullMarked").contains("/**");
            });
  }

  @Test
  void testsNeitherSleepNorHide() {
    assertThat(SourceTree.lines(SourceTree.testJava(), "@" + "Disabled\\b|Thread\\." + "sleep"))
        .isEmpty();
  }

  @Test
  void nothingIsLeftForLater() {
    assertThat(SourceTree.lines(SourceTree.FILES, "\\b(TO" + "DO|FIX" + "ME|XX" + "X)\\b"))
        .isEmpty();
  }

  @Test
  void noMachineAndNoRegistryIsNamed() {
    String machines = "/wor" + "k/|/tmp/" + "w/|jvm/" + "temurin";
    String registries =
        "deb\\.deb" + "ian\\.org|repo1?\\.mav" + "en|central\\.sona" + "type|registry\\.npm" + "js";
    String wrapper = "mvn" + "w\\b";
    assertThat(SourceTree.lines(SourceTree.FILES, machines + "|" + registries + "|" + wrapper))
        .isEmpty();
    assertThat(SourceTree.FILES)
        .noneMatch(file -> file.startsWith(".mvn/wrapper") || file.startsWith("mvn" + "w"));
  }

  /** What a rule about types is asked for each of them. */
  private interface TypeRule {
    void judge(
        Path file,
        ClassTree type,
        boolean isPublic,
        @org.jspecify.annotations.Nullable DocCommentTree comment);
  }

  private static void visitTypes(TypeRule rule) throws Exception {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    try (var files = compiler.getStandardFileManager(null, null, null)) {
      List<Path> sources =
          SourceTree.mainJava().stream()
              .filter(file -> !file.endsWith("module-info.java"))
              .map(SourceTree.ROOT::resolve)
              .toList();
      var task =
          (JavacTask)
              compiler.getTask(
                  null, files, null, null, null, files.getJavaFileObjectsFromPaths(sources));
      DocTrees docs = DocTrees.instance(task);
      for (CompilationUnitTree unit : task.parse()) {
        Path file = SourceTree.ROOT.relativize(Path.of(unit.getSourceFile().toUri()));
        new TreePathScanner<Void, Boolean>() {
          @Override
          public Void visitClass(ClassTree type, Boolean outsideIsPublic) {
            boolean inInterface =
                getCurrentPath().getParentPath().getLeaf().getKind() == Tree.Kind.INTERFACE;
            boolean isPublic =
                outsideIsPublic
                    && (inInterface || type.getModifiers().getFlags().contains(Modifier.PUBLIC));
            if (!type.getSimpleName().isEmpty()) {
              rule.judge(file, type, isPublic, docs.getDocCommentTree(getCurrentPath()));
            }
            return super.visitClass(type, isPublic);
          }
        }.scan(unit, true);
      }
    }
  }
}
