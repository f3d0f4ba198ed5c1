package hawser.interop.inspect;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peers;
import hawser.tools.Main;
import hawser.tools.Terminal;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InspectTest {
  @TempDir Path temp;

  private record Said(int code, String out, String err) {}

  @BeforeEach
  void peers() {
    Peers.requires("qemu-img");
  }

  private Said inspect(Path image, String... options) {
    var args = new ArrayList<>(List.of("img", "inspect"));
    args.addAll(List.of(options));
    args.add(image.toString());
    var out = new ByteArrayOutputStream();
    var err = new ByteArrayOutputStream();
    var io =
        new Terminal(
            InputStream.nullInputStream(),
            new PrintStream(out, true, UTF_8),
            new PrintStream(err, true, UTF_8));
    int code = Main.run(args.toArray(String[]::new), "", io);
    return new Said(code, out.toString(UTF_8), err.toString(UTF_8));
  }

  private Path qcow2(String... more) {
    Path image = temp.resolve("image.qcow2");
    var command = new ArrayList<>(List.of("qemu-img", "create", "-q", "-f", "qcow2"));
    command.addAll(List.of(more));
    command.addAll(List.of(image.toString(), "64M"));
    Peers.run(command).ok();
    return image;
  }

  private static void patch(Path image, long at, int value) throws IOException {
    try (var file = new RandomAccessFile(image.toFile(), "rw")) {
      file.seek(at);
      file.write(value);
    }
  }

  @Test
  void anOrdinaryImageIsClean() throws IOException {
    Said said = inspect(qcow2());
    assertThat(said.out()).contains("format: qcow2", "virtual size: 64 MiB", "verdict: clean");
    assertThat(said.code()).isZero();
    Path raw = temp.resolve("raw");
    Files.write(raw, new byte[4096]);
    assertThat(inspect(raw).out()).contains("format: raw", "verdict: clean");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "base.qcow2",
        "/etc/passwd",
        "nbd://host/export",
        "json:{\"driver\":\"file\",\"filename\":\"/etc/shadow\"}"
      })
  void aBackingFileIsRefusedAndNeverOpened(String name) {
    Said said = inspect(qcow2("-u", "-b", name, "-F", "raw"), "--output=json");
    assertThat(said.code()).isEqualTo(2);
    assertThat(said.err()).isEmpty();
    assertThat(said.out())
        .contains("\"verdict\": \"refuse\"", "\"role\": \"backing-file\"")
        .contains(name.replace("\"", "\\\""));
  }

  @Test
  void aDataFileIsRefusedWhetherItIsThereOrNot() throws IOException {
    Path data = temp.resolve("data");
    Path image = qcow2("-o", "data_file=" + data);
    Said there = inspect(image);
    assertThat(there.code()).isEqualTo(2);
    assertThat(there.out()).contains("refuse: data-file", data.toString());
    Files.delete(data);
    assertThat(inspect(image)).isEqualTo(there);
  }

  @ParameterizedTest
  @ValueSource(strings = {"vmdk", "vdi", "vhdx", "vpc", "qed", "parallels", "qcow"})
  void otherFormatsAreNamedAndNotInspected(String format) {
    Path image = temp.resolve("other");
    Peers.run("qemu-img", "create", "-q", "-f", format, image.toString(), "8M").ok();
    Said said = inspect(image);
    assertThat(said.out()).contains("format: " + format + "\n", "not inspected deeper");
    assertThat(said.code()).isEqualTo(1);
  }

  @Test
  void whatIsUnknownIsTold() throws IOException {
    Path image = qcow2();
    patch(image, 87, 0x80);
    patch(image, 95, 0x40);
    Said said = inspect(image);
    assertThat(said.out())
        .contains("unknown compatible feature bit 7", "unknown autoclear feature bit 6");
    assertThat(said.code()).isEqualTo(1);
    patch(image, 79, 0x80);
    Said worse = inspect(image);
    assertThat(worse.out()).contains("Unsupported qcow2 feature(s)", "verdict: refuse");
    assertThat(worse.code()).isEqualTo(2);
  }

  @Test
  void snapshotsAndBitmapsAreCounted() {
    Path image = qcow2();
    Peers.run("qemu-img", "snapshot", "-c", "one", image.toString()).ok();
    Peers.run("qemu-img", "bitmap", "--add", image.toString(), "b0").ok();
    Said said = inspect(image);
    assertThat(said.out()).contains("snapshots: 1", "bitmaps: 1", "verdict: suspicious");
    assertThat(said.code()).isEqualTo(1);
  }

  @Test
  void aStrangersNameCannotSteerTheTerminal() throws IOException {
    Path image = qcow2("-u", "-b", "evilXname", "-F", "raw");
    byte[] bytes = Files.readAllBytes(image);
    int at = new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1).indexOf("evilXname");
    patch(image, at + 4, 0x1b);
    assertThat(inspect(image).out()).contains("evil\\u{1b}name").doesNotContain("\u001b");
  }

  @Test
  void aLargeClaimIsTheTakersToAllow() {
    Path image = qcow2();
    assertThat(inspect(image, "--max-size", "64M").code()).isZero();
    Said said = inspect(image, "--max-size", "63M");
    assertThat(said.out()).contains("at most 66060288 are allowed", "verdict: refuse");
    assertThat(said.code()).isEqualTo(2);
  }

  @Test
  void tablesOutsideTheFileAreRefused() throws IOException {
    Path image = qcow2();
    patch(image, 43, 1);
    Said said = inspect(image);
    assertThat(said.out()).contains("the L1 table at", "is not in the file");
    assertThat(said.code()).isEqualTo(2);
  }

  @Test
  void aFileThatCannotBeReadIsNeitherCleanNorRefused() {
    Said said = inspect(temp.resolve("nothing"));
    assertThat(said.code()).isEqualTo(3);
    assertThat(said.err()).contains("Could not inspect");
    assertThat(said.out()).isEmpty();
  }
}
