package hawser.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.Comparator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What our programs start from in tests, as those of the package do from theirs: without it each of
 * the many hundred processes of a test run would take a third of a second longer to start.
 */
final class StartCache {
  private static @Nullable String flag;

  private StartCache() {}

  /** The flag for the JVM; made by a training run when the modules have changed since the last. */
  static synchronized String flag(Path java, Path modules) {
    if (flag == null) {
      Path cache = Side.ROOT.resolve("testing/target/start.aot");
      try {
        if (!Files.exists(cache) || newest(modules).compareTo(time(cache)) >= 0) {
          train(java, modules, cache);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      flag = "-XX:AOTCache=" + cache;
    }
    return flag;
  }

  private static void train(Path java, Path modules, Path cache) throws IOException {
    Files.createDirectories(cache.getParent());
    Path folder = Files.createTempDirectory(cache.getParent(), "training");
    Path made = folder.resolve("start.aot");
    Peers.run(
            "/usr/bin/env",
            "JAVA=" + java,
            "MODULES=" + modules,
            "START=-XX:AOTCacheOutput=" + made,
            "MAIN=hawser.tools.dist.Training",
            "/bin/sh",
            Side.ROOT.resolve("dist/launch.sh").toString(),
            folder.toString())
        .ok();
    // Another module's tests may run beside these.
    Files.move(made, cache, StandardCopyOption.ATOMIC_MOVE);
    try (Stream<Path> left = Files.walk(folder)) {
      for (Path file : left.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  private static FileTime newest(Path modules) throws IOException {
    FileTime newest = FileTime.fromMillis(0);
    try (Stream<Path> jars = Files.list(modules)) {
      for (Path jar : jars.toList()) {
        newest = time(jar).compareTo(newest) > 0 ? time(jar) : newest;
      }
    }
    return newest;
  }

  private static FileTime time(Path file) throws IOException {
    return Files.getLastModifiedTime(file);
  }
}
