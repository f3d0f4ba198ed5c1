package hawser.tools.dist;

import hawser.tools.Program;
import hawser.tools.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * Writes what {@code share/} of a package holds: a manual page for each program, and completion for
 * bash.
 */
public final class Pages {
  private Pages() {}

  /** The argument is the folder {@code share}. */
  public static void main(String[] args) throws IOException {
    write(Path.of(args[0]));
  }

  /** Writes beneath {@code share}, which need not exist. */
  static void write(Path share) throws IOException {
    List<Program> programs =
        Programs.NAMES.stream().map(name -> Objects.requireNonNull(Programs.named(name))).toList();
    Path man = Files.createDirectories(share.resolve("man/man1"));
    for (Program program : programs) {
      Files.writeString(man.resolve(ManPage.fileName(program)), ManPage.of(program));
    }
    Path completions = Files.createDirectories(share.resolve("bash-completion/completions"));
    Files.writeString(completions.resolve("hawser"), Completion.of(programs));
  }
}
