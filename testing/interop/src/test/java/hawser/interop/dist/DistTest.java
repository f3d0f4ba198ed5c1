package hawser.interop.dist;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.base.json.Json;
import hawser.base.json.JsonReader;
import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import hawser.testkit.fuse.FuseClient;
import hawser.testkit.fuse.FuseOperations;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DistTest {
  private static final Path FOLDER = Side.ROOT.resolve("dist/target/hawser");

  @TempDir Path temp;

  @BeforeAll
  static void make() {
    Peers.run("env", "JAVA_HOME=" + System.getProperty("java.home"), script()).ok();
  }

  private static String script() {
    return Side.ROOT.resolve("dist/make.sh").toString();
  }

  /** With AOTMode=on a JVM ends with an error when it cannot use its start-up cache. */
  private static Ran withCache(Path program, String... arguments) {
    var command = new ArrayList<String>();
    command.add("env");
    command.add("JDK_JAVA_OPTIONS=-XX:AOTMode=on");
    command.add(program.toString());
    command.addAll(List.of(arguments));
    return Peers.run(command);
  }

  @Test
  void startsFromItsCache() {
    assertThat(withCache(FOLDER.resolve("bin/hawser"), "img", "--version").ok().out())
        .contains("qemu-img version");
  }

  @ParameterizedTest
  @ValueSource(strings = {"qemu-img", "qemu-io", "qemu-nbd"})
  void answersToTheOriginalsName(String name) {
    Path program = FOLDER.resolve("compat").resolve(name);
    assertThat(Peers.run(program.toString(), "--version").ok().out()).startsWith(name);
    assertThat(Peers.run(program.toString(), "--help").ok().out()).contains(name);
  }

  @ParameterizedTest
  @ValueSource(strings = {"block", "rng", "console"})
  void aBackEndIsFoundByItsDescriptor(String type) throws Exception {
    Path descriptor = FOLDER.resolve("share/qemu/vhost-user/50-hawser-" + type + ".json");
    var described = (Json.Obj) JsonReader.read(Files.readString(descriptor));
    assertThat(described.members()).containsOnlyKeys("description", "type", "binary");
    assertThat(described.members()).containsEntry("type", new Json.Str(type));
    String binary = ((Json.Str) described.members().get("binary")).value();
    Path program = FOLDER.resolve(Path.of("/opt/hawser").relativize(Path.of(binary)));
    var can =
        (Json.Obj)
            JsonReader.read(Peers.run(program.toString(), "--print-capabilities").ok().out());
    assertThat(can.members()).containsEntry("type", new Json.Str(type));
  }

  /** In their sandboxes, where the package's own files are out of reach. */
  @Test
  void aGuestMovesBetweenTwoOfThePackagesDaemons() throws Exception {
    Path shared = Files.createDirectory(temp.resolve("shared"));
    try (Peer old = virtiofsd(shared, temp.resolve("old"));
        Peer next = virtiofsd(shared, temp.resolve("new"));
        FuseClient guest = FuseClient.connect(temp.resolve("old"), 1)) {
      FuseOperations fuse = guest.operations();
      fuse.init().ok();
      long node = fuse.mkdir(FuseOperations.ROOT_NODE, "made", 0755, 0).ok().entry().node();
      guest.moveTo(temp.resolve("new"), guest.save());
      assertThat(fuse.getattr(node).error()).as("%s%s", old.err(), next.err()).isZero();
      assertThat(old.err() + next.err()).doesNotContain("Exception");
    }
  }

  private static Peer virtiofsd(Path shared, Path socket) {
    String program = FOLDER.resolve("compat/virtiofsd").toString();
    return Peers.start(program, "--shared-dir=" + shared, "--socket-path=" + socket)
        .awaitSocket(socket);
  }

  @Test
  void worksAfterItWasMovedAndThroughALink() throws Exception {
    Path moved = temp.resolve("elsewhere");
    Peers.run("cp", "-a", FOLDER.toString(), moved.toString()).ok();
    assertThat(withCache(moved.resolve("bin/hawser"), "img", "--version").ok().out())
        .contains("qemu-img version");
    Path link = Files.createSymbolicLink(temp.resolve("linked"), moved.resolve("compat/qemu-img"));
    assertThat(withCache(link, "--version").ok().out()).contains("qemu-img version");
  }

  @Test
  void startsWithoutTheCacheWhenACopyLostItsDates() {
    Path copy = temp.resolve("copy");
    Peers.run("cp", "-r", FOLDER.toString(), copy.toString()).ok();
    Ran ran = Peers.run(copy.resolve("bin/hawser").toString(), "img", "--version").ok();
    assertThat(ran.all()).startsWith("qemu-img version").hasLineCount(1);
  }

  @Test
  void saysNothingOfItsOwnWhileItWorks() throws Exception {
    var content = new byte[1 << 20];
    Arrays.fill(content, (byte) 7);
    String raw = Files.write(temp.resolve("disk.raw"), content).toString();
    String packed = temp.resolve("disk.qcow2").toString();
    String[] options = {"convert", "-c", "-O", "qcow2", "-o", "compression_type=zstd", raw, packed};
    var command = new ArrayList<String>();
    command.add(FOLDER.resolve("compat/qemu-img").toString());
    command.addAll(List.of(options));
    assertThat(Peers.run(command).ok().all()).isEmpty();
  }

  @Test
  void hasAPageAndCompletionForEachProgram() throws Exception {
    Path share = FOLDER.resolve("share");
    assertThat(share.resolve("man/man1/hawser-img.1")).content().contains(".SH NAME");
    Path completion = share.resolve("bash-completion/completions/hawser");
    Peers.run("bash", "-n", completion.toString()).ok();
    String ask =
        "source '%s'; COMP_WORDS=(hawser im) COMP_CWORD=1; _hawser; echo ${COMPREPLY[@]}"
            .formatted(completion);
    assertThat(Peers.run("bash", "-c", ask).ok().out()).isEqualTo("img\n");
  }
}
