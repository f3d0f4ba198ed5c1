package hawser.interop.img;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.tools.Main;
import hawser.tools.Terminal;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Runs each line of a script with qemu-img in one folder and with ours in another, and compares
 * standard output, standard error and the exit code to the byte. What the images hold afterwards is
 * compared by later lines ({@code compare}, {@code map}, {@code check}) and by qemu-img itself.
 */
class SameAsQemuImgTest {
  @TempDir Path temp;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "raw-create-info.txt",
        "raw-map-measure-compare.txt",
        "rebase.txt",
        "resize-dd.txt",
        "convert-refusals.txt",
        "convert-raw.txt",
        "convert-qcow2.txt",
        "convert-bitmaps.txt",
        "convert-options.txt",
        "backing-format.txt",
        "qcow2-create.txt",
        "qcow2-read.txt",
        "snapshots.txt",
        "check.txt",
      })
  void sameWords(String script) throws Exception {
    Peers.requires("qemu-img", "qemu-io");
    Path theirs = Files.createDirectory(temp.resolve("theirs"));
    Path ours = Files.createDirectory(temp.resolve("ours"));
    var checks = new ArrayList<Executable>();
    for (ScriptLine line : ScriptLine.read(resource(script))) {
      if (line.shell()) {
        String shell = "set -e; cd '%s'; exec >/dev/null 2>&1; " + line.text();
        Peers.run("bash", "-c", shell.formatted(theirs)).ok();
        Peers.run("bash", "-c", shell.formatted(ours)).ok();
        continue;
      }
      Ran expected = said(theirs, qemuImg(line.arguments(theirs.toString())));
      Ran actual = said(ours, hawserImg(line.arguments(ours.toString())));
      checks.add(() -> compare(script, line, expected, actual));
    }
    Assertions.assertAll(checks);
  }

  private static void compare(String script, ScriptLine line, Ran expected, Ran actual) {
    var check = assertThat(told(actual)).as("%s:%d %s", script, line.number(), line.text());
    if (line.differs().isEmpty()) {
      check.isEqualTo(told(expected));
    } else {
      check.isNotEqualTo(told(expected));
    }
  }

  private static String told(Ran ran) {
    return "%s--- standard error ---%n%s--- exit code %d ---"
        .formatted(ran.out(), ran.err(), ran.exitCode());
  }

  private static Ran qemuImg(String[] arguments) {
    var command = new ArrayList<>(List.of("qemu-img"));
    command.addAll(Arrays.asList(arguments));
    return Peers.run(command);
  }

  private static Ran hawserImg(String[] arguments) {
    var out = new ByteArrayOutputStream();
    var err = new ByteArrayOutputStream();
    var io =
        new Terminal(
            InputStream.nullInputStream(),
            new PrintStream(out, false, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8));
    int code = Main.run(arguments, "qemu-img", io);
    io.flush();
    return new Ran(
        Arrays.asList(arguments),
        code,
        out.toString(StandardCharsets.UTF_8),
        err.toString(StandardCharsets.UTF_8));
  }

  /** The same, with the folder's name taken out, for the two sides have their own. */
  private static Ran said(Path folder, Ran ran) {
    String name = folder.toString();
    return new Ran(
        ran.command(),
        ran.exitCode(),
        ran.out().replace(name, "DIR"),
        ran.err().replace(name, "DIR"));
  }

  private static String resource(String name) throws IOException {
    try (InputStream in = SameAsQemuImgTest.class.getResourceAsStream(name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
