package hawser.interop.house;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** The files of the repository that people write, by path from its root. */
final class SourceTree {
  /** What builds and runs leave behind. */
  private static final Set<String> NOT_OURS = Set.of(".git", "target", "hawser-data", ".idea");

  static final Path ROOT =
      Path.of(System.getProperty("hawser.root", "../..")).toAbsolutePath().normalize();

  /** Every file. */
  static final List<Path> FILES = walk();

  private SourceTree() {}

  /** The Java files that ship or support tests; not the tests. */
  static List<Path> mainJava() {
    return java(path -> path.contains("src/main/java/"));
  }

  /** The tests. */
  static List<Path> testJava() {
    return java(path -> path.contains("src/test/java/"));
  }

  static List<Path> java(Predicate<String> wanted) {
    return FILES.stream()
        .filter(file -> file.toString().endsWith(".java") && wanted.test(file.toString()))
        .toList();
  }

  /** The content; bytes that are not UTF-8 read as Latin-1 so that any file can be searched. */
  static String text(Path file) {
    try {
      return Files.readString(ROOT.resolve(file), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Every line of the files that a pattern is found in, as {@code path:number: line}. */
  static List<String> lines(List<Path> files, String pattern) {
    var wanted = Pattern.compile(pattern);
    var found = new ArrayList<String>();
    for (Path file : files) {
      int number = 0;
      for (String line : text(file).lines().toList()) {
        number++;
        if (wanted.matcher(line).find()) {
          found.add(file + ":" + number + ": " + line.strip());
        }
      }
    }
    return found;
  }

  private static List<Path> walk() {
    var found = new ArrayList<Path>();
    try {
      Files.walkFileTree(
          ROOT,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
              return NOT_OURS.contains(String.valueOf(folder.getFileName()))
                  ? FileVisitResult.SKIP_SUBTREE
                  : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
              if (attributes.isRegularFile()) {
                found.add(ROOT.relativize(file));
              }
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return List.copyOf(found);
  }
}
