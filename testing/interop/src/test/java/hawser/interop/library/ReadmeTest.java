package hawser.interop.library;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Side;
import hawser.tools.Programs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What README.md shows is so. */
class ReadmeTest {
  @TempDir Path temp;

  private static String readme() throws Exception {
    return Files.readString(Side.ROOT.resolve("README.md"));
  }

  @Test
  void theExampleIsTheOneThatIsCompiled() throws Exception {
    String block = readme().replaceAll("(?s).*```java\n(.*?)```.*", "$1");
    String source =
        Files.readString(
            Side.ROOT.resolve(
                "testing/interop/src/test/java/hawser/interop/library/ServeDisk.java"));
    assertThat(source).containsIgnoringWhitespaces(block);
    assertThat(block.lines().count()).isBetween(5L, 15L);
  }

  @Test
  void theExampleServes() throws Exception {
    Peers.requires("qemu-img", "nbdinfo", "mkfifo");
    Path image = temp.resolve("disk.qcow2");
    Path socket = temp.resolve("disk.sock");
    Path keyboard = temp.resolve("keyboard");
    Peers.run("qemu-img", "create", "-q", "-f", "qcow2", image.toString(), "1M").ok();
    Peers.run("mkfifo", keyboard.toString()).ok();
    var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    var builder =
        new ProcessBuilder(
            "sh",
            "-c",
            "exec \"$@\" <" + keyboard,
            "-",
            java,
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            ServeDisk.class.getName(),
            image.toString(),
            socket.toString());
    try (Peer server = new Peer(builder);
        var keys = Files.newOutputStream(keyboard)) {
      server.awaitSocket(socket);
      var size = Peers.run("nbdinfo", "--size", "nbd+unix:///?socket=" + socket).ok();
      assertThat(size.out()).isEqualTo("1048576\n");
      keys.write('\n');
      keys.flush();
      assertThat(server.await()).isZero();
    }
    Peers.run("qemu-img", "check", image.toString()).ok();
  }

  @Test
  void everyProgramIsInTheTable() throws Exception {
    List<String> rows = readme().lines().filter(line -> line.startsWith("| `")).toList();
    assertThat(Programs.NAMES)
        .allSatisfy(name -> assertThat(rows).anyMatch(row -> row.startsWith("| `" + name + "`")));
    assertThat(rows).hasSameSizeAs(Programs.NAMES);
  }
}
