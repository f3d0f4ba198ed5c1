package hawser.interop.nbd;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import hawser.tools.Main;
import hawser.tools.Terminal;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Our nbdinfo prints and answers what libnbd's does, whoever serves. */
class NbdinfoTest {
  private static final List<String> REPORTS =
      List.of(
          "",
          "--json",
          "--list",
          "--list --json",
          "--list --content",
          "--no-content",
          "--size",
          "--map",
          "--map --json",
          "--map --totals",
          "--map --totals --json");

  private static final List<String> QUESTIONS =
      List.of(
          "--is read-only",
          "--is readonly",
          "--is rotational",
          "--is tls",
          "--is bogus",
          "--can connect",
          "--can read",
          "--can write",
          "--can structured-reply",
          "--can cache",
          "--can df",
          "--can fast-zero",
          "--can flush",
          "--can fua",
          "--can multi-conn",
          "--can trim",
          "--can zero",
          "--can bogus");

  @TempDir Path temp;
  private Path socket;

  @BeforeEach
  void peers() {
    Peers.requires("nbdinfo", "nbdkit", "qemu-img", "qemu-io", "qemu-nbd");
    socket = temp.resolve("nbd.sock");
  }

  private String uri(String export) {
    return "nbd+unix:///" + export + "?socket=" + socket;
  }

  private static Ran libnbds(String options, String uri) {
    return Peers.run(words("nbdinfo", options, uri));
  }

  /** In this process, for there are hundreds of calls; that of brackets starts one. */
  private static Ran ours(String options, String uri) {
    var out = new ByteArrayOutputStream();
    var err = new ByteArrayOutputStream();
    var io =
        new Terminal(
            InputStream.nullInputStream(),
            new PrintStream(out, true, UTF_8),
            new PrintStream(err, true, UTF_8));
    List<String> words = words("nbdinfo", options, uri);
    String[] arguments = words.subList(1, words.size()).toArray(String[]::new);
    int exitCode = Main.run(arguments, "nbdinfo", io);
    io.flush();
    return new Ran(words, exitCode, out.toString(UTF_8), err.toString(UTF_8));
  }

  private static List<String> words(String program, String options, String uri) {
    var words = new ArrayList<>(List.of(program));
    if (!options.isEmpty()) {
      words.addAll(List.of(options.split(" ", -1)));
    }
    words.add(uri);
    return words;
  }

  private static void assertSame(String options, String uri) {
    Ran theirs = libnbds(options, uri);
    Ran ours = ours(options, uri);
    // libnbd 1.14 cannot agree on extended headers; that ours did is all that may differ.
    String said = ours.out().replace("using extended", "using structured");
    assertThat(said.replace("\"extended\": true,\n", ""))
        .as("nbdinfo %s", options)
        .isEqualTo(theirs.out());
    assertThat(ours.exitCode()).as("nbdinfo %s: %s", options, ours).isEqualTo(theirs.exitCode());
    assertThat(ours.err().isEmpty()).isEqualTo(theirs.err().isEmpty());
  }

  private static void assertSame(List<String> all, String uri) {
    all.forEach(options -> assertSame(options, uri));
  }

  private Peer disk(Side side) {
    Path base = temp.resolve("base.qcow2");
    Path top = temp.resolve("top.qcow2");
    Peers.run("qemu-img", "create", "-qf", "qcow2", base.toString(), "20M").ok();
    Peers.run("qemu-io", "-c", "write 1M 3M", "-c", "write -z 8M 1M", base.toString()).ok();
    Peers.run("qemu-img", "create", "-qf", "qcow2", "-F", "qcow2", "-b", base.toString(), "" + top)
        .ok();
    Peers.run("qemu-img", "bitmap", "--add", top.toString(), "x").ok();
    Peers.run("qemu-io", "-c", "write 12M 1M", top.toString()).ok();
    return side.start(
            "qemu-nbd",
            "-r",
            "-t",
            "-e",
            "0",
            "-A",
            "-B",
            "x",
            "-x",
            "vda",
            "-D",
            "words",
            "-f",
            "qcow2",
            "-k",
            socket.toString(),
            top.toString())
        .awaitSocket(socket);
  }

  @ParameterizedTest
  @EnumSource
  void ofADiskWithABitmapAndABackingFile(Side side) {
    try (Peer server = disk(side)) {
      assertSame(REPORTS, uri("vda"));
      assertSame(
          List.of(
              "--map=qemu:dirty-bitmap:x",
              "--map=qemu:dirty-bitmap:x --json",
              "--map=qemu:dirty-bitmap:x --totals",
              "--map=qemu:allocation-depth",
              "--map=qemu:dirty-bitmap:nope"),
          uri("vda"));
      assertSame("--size", uri("nope"));
      assertSame("--can connect", uri("nope"));
      assertThat(server.process().isAlive()).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource
  void questionsAreAnsweredWithTheSameExitCode(Side side) {
    try (Peer server = disk(side)) {
      assertSame(QUESTIONS, uri("vda"));
      assertThat(server.process().isAlive()).isTrue();
    }
  }

  @Test
  void ofSeveralExportsAndOfAServerWithSimpleReplies() throws Exception {
    Path folder = Files.createDirectory(temp.resolve("exports"));
    Files.write(folder.resolve("a"), new byte[1 << 20]);
    Files.write(folder.resolve("b"), new byte[3 << 20]);
    var command = List.of("nbdkit", "-f", "-U", socket.toString(), "file", "dir=" + folder);
    try (Peer server = Peers.start(command).awaitSocket(socket)) {
      assertSame(REPORTS, uri("b"));
      assertThat(server.process().isAlive()).isTrue();
    }
    Files.deleteIfExists(socket);
    try (Peer server =
        Peers.start("nbdkit", "-f", "--no-sr", "-U", socket.toString(), "memory", "1M")
            .awaitSocket(socket)) {
      assertSame(REPORTS, uri(""));
      assertSame(QUESTIONS, uri(""));
      assertThat(server.process().isAlive()).isTrue();
    }
    Files.deleteIfExists(socket);
    assertSame("--size", uri(""));
    assertSame("--can connect", uri(""));
  }

  @Test
  void ofAnEncryptedExport() {
    Peers.requires("psktool");
    Path keys = new KeyFiles(temp).sharedKey();
    var command = List.of("nbdkit", "-f", "-U", socket.toString(), "--tls=require");
    try (Peer server =
        Peers.start(
                Stream.concat(command.stream(), Stream.of("--tls-psk=" + keys, "memory", "1M"))
                    .toList())
            .awaitSocket(socket)) {
      String uri = uri("").replace("nbd+unix://", "nbds+unix://" + KeyFiles.USER + "@");
      assertSame(REPORTS, uri + "&tls-psk-file=" + keys);
      assertSame(QUESTIONS, uri + "&tls-psk-file=" + keys);
      assertSame("--is tls", uri(""));
      assertThat(server.process().isAlive()).isTrue();
    }
  }

  @Test
  void aServerInBracketsIsStartedAndEnded() {
    for (String options : List.of("", "--json", "--size", "--map", "--list", "--is tls")) {
      var theirs = words("nbdinfo", options, "--");
      theirs.addAll(List.of("[", "nbdkit", "-r", "memory", "10M", "]"));
      Ran libnbds = Peers.run(theirs);
      Ran ours =
          Side.HAWSER.run("nbdinfo", theirs.subList(1, theirs.size()).toArray(String[]::new));
      assertThat(ours.out()).as(options).isEqualTo(libnbds.out());
      assertThat(ours.exitCode()).isEqualTo(libnbds.exitCode());
    }
  }
}
