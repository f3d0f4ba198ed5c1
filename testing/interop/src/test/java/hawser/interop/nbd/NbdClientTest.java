package hawser.interop.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** QEMU's clients and ours with servers old, new and odd. */
class NbdClientTest {
  private static final int SIZE = 3 << 20;

  @TempDir Path temp;
  private Path image;
  private Path socket;

  @BeforeEach
  void makeImage() throws Exception {
    Peers.requires("nbdkit", "nbdinfo", "nbdcopy", "qemu-nbd", "qemu-img");
    image = temp.resolve("disk.raw");
    socket = temp.resolve("nbd.sock");
    byte[] content = new byte[SIZE];
    new Random(5).nextBytes(content);
    java.util.Arrays.fill(content, 1 << 20, 2 << 20, (byte) 0);
    Files.write(image, content);
  }

  private Peer nbdkit(String... options) {
    var command = new ArrayList<>(List.of("nbdkit", "-f", "-U", socket.toString()));
    command.addAll(List.of(options));
    return Peers.start(command).awaitSocket(socket);
  }

  private String uri() {
    return "nbd+unix:///?socket=" + socket;
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "--no-sr", "--mask-handshake=0"})
  void ourCopyGoesOutAndInWhateverTheServerKnows(String option) throws Exception {
    var options = new ArrayList<String>();
    if (!option.isEmpty()) {
      options.add(option);
    }
    options.addAll(List.of("file", image.toString()));
    Path copy = temp.resolve("copy.raw");
    try (Peer server = nbdkit(options.toArray(String[]::new))) {
      Side.HAWSER.run("nbdcopy", uri(), copy.toString()).ok();
      assertThat(Files.mismatch(image, copy)).isEqualTo(-1);
      byte[] other = new byte[SIZE];
      new Random(6).nextBytes(other);
      Files.write(copy, other);
      Side.HAWSER.run("nbdcopy", "--flush", copy.toString(), uri()).ok();
      assertThat(Files.mismatch(image, copy)).isEqualTo(-1);
      assertThat(server.process().isAlive()).isTrue();
    }
  }

  @ParameterizedTest
  @CsvSource({"--size", "--map", "--map --json", "--map --totals", "--list --no-content"})
  void nbdinfoSaysTheSameAsLibnbds(String options) {
    try (Peer server = nbdkit("file", image.toString())) {
      var arguments = new ArrayList<>(List.of(options.split(" ", -1)));
      arguments.add(uri());
      var theirs = new ArrayList<>(List.of("nbdinfo"));
      theirs.addAll(arguments);
      Ran ours = Side.HAWSER.run("nbdinfo", arguments.toArray(String[]::new));
      assertThat(ours.ok().out()).isEqualTo(Peers.run(theirs).ok().out());
      assertThat(server.process().isAlive()).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource
  void aServersErrorsAreTold(Side side) {
    try (Peer server =
        nbdkit("--filter=error", "file", image.toString(), "error-pread=EIO", "error-rate=100%")) {
      Ran ran = side.run("qemu-img", "convert", "-O", "raw", uri(), temp + "/out.raw");
      assertThat(ran.exitCode()).isEqualTo(1);
      assertThat(ran.err()).contains("nput/output error");
      assertThat(server.process().isAlive()).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource
  void aMissingExportOrServerIsToldInTheSameWords(Side side) {
    Ran nobody = side.run("qemu-img", "info", uri());
    assertThat(nobody.err())
        .isEqualTo(
            "qemu-img: Could not open '%s': Failed to connect to '%s': No such file or directory\n"
                .formatted(uri(), socket));
    String missing = "nbd+unix:///nope?socket=" + socket;
    try (Peer server =
        Peers.start("qemu-nbd", "-f", "raw", "-t", "-k", socket.toString(), image.toString())
            .awaitSocket(socket)) {
      assertThat(side.run("qemu-img", "info", missing).err())
          .isEqualTo(
              """
              qemu-img: Could not open '%s': Requested export not available
              server reported: export 'nope' not present
              """
                  .formatted(missing));
      assertThat(server.process().isAlive()).isTrue();
    }
  }

  @Test
  void ourListIsQemusList() {
    try (Peer server =
        Peers.start(
                "qemu-nbd",
                "-f",
                "raw",
                "-t",
                "-e",
                "0",
                "-x",
                "vda",
                "-D",
                "words",
                "-A",
                "-k",
                socket.toString(),
                image.toString())
            .awaitSocket(socket)) {
      String[] list = {"-L", "-k", socket.toString()};
      assertThat(Side.HAWSER.run("qemu-nbd", list).ok().out())
          .isEqualTo(Side.QEMU.run("qemu-nbd", list).ok().out());
      assertThat(server.process().isAlive()).isTrue();
    }
  }
}
