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
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** qemu-nbd and {@code hawser nbd} as servers of other people's clients, and of ours. */
class NbdServerTest {
  private static final int SIZE = 4 << 20;

  @TempDir Path temp;
  private Path image;
  private Path socket;

  @BeforeEach
  void makeImage() throws Exception {
    Peers.requires("nbdinfo", "nbdcopy", "qemu-img", "qemu-io");
    image = temp.resolve("disk.raw");
    socket = temp.resolve("nbd.sock");
    byte[] content = new byte[SIZE];
    new Random(7).nextBytes(content);
    java.util.Arrays.fill(content, 1 << 20, 2 << 20, (byte) 0);
    Files.write(image, content);
  }

  private Peer serve(Side side, String... options) {
    var arguments = new ArrayList<>(List.of("-k", socket.toString()));
    arguments.addAll(List.of(options));
    arguments.add(image.toString());
    return side.start("qemu-nbd", arguments.toArray(String[]::new)).awaitSocket(socket);
  }

  private String uri() {
    return "nbd+unix:///?socket=" + socket;
  }

  @ParameterizedTest
  @CsvSource({"QEMU,QEMU", "QEMU,HAWSER", "HAWSER,QEMU", "HAWSER,HAWSER"})
  void nbdinfoSeesWhatQemuNbdShows(Side side, Side client) {
    try (Peer server = serve(side, "-f", "raw", "-e", "0", "-t", "-D", "words")) {
      String json = client.run("nbdinfo", "--json", uri()).ok().out();
      assertThat(json)
          .contains("\"protocol\": \"newstyle-fixed\"")
          .contains("\"structured\": true")
          .contains("\"export-size\": " + SIZE)
          .contains("\"description\": \"words\"")
          .contains("\"is_read_only\": false")
          .contains("\"can_cache\": true")
          .contains("\"can_df\": true")
          .contains("\"can_fast_zero\": true")
          .contains("\"can_flush\": true")
          .contains("\"can_fua\": true")
          .contains("\"can_multi_conn\": true")
          .contains("\"can_trim\": true")
          .contains("\"can_zero\": true")
          .contains("\"base:allocation\"")
          .contains("\"block_size_minimum\": 1,")
          .contains("\"block_size_preferred\": 4096")
          .contains("\"block_size_maximum\": 33554432");
      assertThat(server.terminate()).isZero();
    }
  }

  @ParameterizedTest
  @CsvSource({"QEMU,QEMU", "QEMU,HAWSER", "HAWSER,QEMU", "HAWSER,HAWSER"})
  void everyByteComesOutAndGoesIn(Side side, Side client) throws Exception {
    Path copy = temp.resolve("copy.raw");
    try (Peer server = serve(side, "-f", "raw", "-e", "0", "-t")) {
      client.run("nbdcopy", uri(), copy.toString()).ok();
      assertThat(Files.mismatch(image, copy)).isEqualTo(-1);
      byte[] other = new byte[SIZE];
      new Random(8).nextBytes(other);
      Files.write(copy, other);
      client.run("nbdcopy", "--flush", copy.toString(), uri()).ok();
      assertThat(server.terminate()).isZero();
    }
    assertThat(Files.mismatch(image, copy)).isEqualTo(-1);
  }

  @ParameterizedTest
  @CsvSource({"QEMU,QEMU", "QEMU,HAWSER", "HAWSER,QEMU", "HAWSER,HAWSER"})
  void qemuIoReadsWritesZeroesAndDiscards(Side side, Side client) {
    try (Peer server = serve(side, "-f", "raw", "-t", "--discard=unmap")) {
      Ran ran =
          client.run(
              "qemu-io",
              "-f",
              "raw",
              uri(),
              "-c",
              "write -P 0x11 0 64k",
              "-c",
              "write -f -P 0x22 64k 4k",
              "-c",
              "write -z 128k 64k",
              "-c",
              "write -z -u 192k 64k",
              "-c",
              "discard 256k 64k",
              "-c",
              "flush",
              "-c",
              "read -P 0x11 0 64k",
              "-c",
              "read -P 0x22 64k 4k",
              "-c",
              "read -P 0 128k 128k",
              "-c",
              "read 0 4M");
      ran.ok();
      assertThat(ran.out()).doesNotContain("failed");
      assertThat(server.terminate()).isZero();
    }
  }

  @ParameterizedTest
  @CsvSource({"QEMU,QEMU", "QEMU,HAWSER", "HAWSER,QEMU", "HAWSER,HAWSER"})
  void endsWhenTheLastClientHasGone(Side side, Side client) {
    try (Peer server = serve(side, "-f", "raw")) {
      client.run("qemu-img", "info", "-f", "raw", uri()).ok();
      assertThat(server.await()).isZero();
      assertThat(Files.exists(socket)).isFalse();
    }
  }

  @ParameterizedTest
  @CsvSource({"QEMU,QEMU", "QEMU,HAWSER", "HAWSER,QEMU", "HAWSER,HAWSER"})
  void readOnlyRefusesWrites(Side side, Side client) {
    try (Peer server = serve(side, "-f", "raw", "-r", "-t")) {
      Ran ran = client.run("qemu-io", "-f", "raw", uri(), "-c", "write 0 4k");
      assertThat(ran.exitCode()).isNotZero();
      assertThat(client.run("nbdinfo", "--is", "read-only", uri()).exitCode()).isZero();
      assertThat(server.terminate()).isZero();
    }
  }

  @ParameterizedTest
  @CsvSource({"QEMU,QEMU", "QEMU,HAWSER", "HAWSER,QEMU", "HAWSER,HAWSER"})
  void exportsAreNamedAndWrongNamesAreRefused(Side side, Side client) {
    try (Peer server = serve(side, "-f", "raw", "-x", "vda", "-t", "-e", "2")) {
      String right = "nbd+unix:///vda?socket=" + socket;
      assertThat(client.run("nbdinfo", "--size", right).ok().out()).isEqualTo(SIZE + "\n");
      Ran wrong = client.run("qemu-img", "info", "nbd+unix:///vdb?socket=" + socket);
      assertThat(wrong.err()).contains("Requested export not available");
      assertThat(wrong.err()).contains("server reported: export 'vdb' not present");
      Ran list = client.run("nbdinfo", "--list", uri());
      assertThat(list.ok().out()).contains("export=\"vda\"");
      assertThat(server.terminate()).isZero();
    }
  }

  @ParameterizedTest
  @CsvSource({"QEMU,QEMU", "QEMU,HAWSER", "HAWSER,QEMU", "HAWSER,HAWSER"})
  void holesAreTold(Side side, Side client) throws Exception {
    Path sparse = temp.resolve("sparse.raw");
    try (var file = new java.io.RandomAccessFile(sparse.toFile(), "rw")) {
      file.setLength(SIZE);
      file.seek(1 << 20);
      file.write(new byte[] {1});
      file.seek((1 << 20) + 65535);
      file.write(new byte[] {1});
    }
    Files.move(sparse, image, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    Peers.run("qemu-io", "-f", "raw", "-c", "write -P 5 1M 64k", image.toString()).ok();
    try (Peer server = serve(side, "-f", "raw", "-t")) {
      String map = client.run("nbdinfo", "--map", uri()).ok().out().replaceAll(" +", " ");
      assertThat(map)
          .isEqualTo(
              " 0 1048576 3 hole,zero\n 1048576 65536 0 data\n 1114112 3080192 3 hole,zero\n");
      assertThat(server.terminate()).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource
  void forksWhenReadyAndWritesItsNumber(Side side) throws Exception {
    Path pid = temp.resolve("nbd.pid");
    Ran ran =
        side.run(
            "qemu-nbd",
            "--fork",
            "-t",
            "-f",
            "raw",
            "--pid-file=" + pid,
            "-k",
            socket.toString(),
            image.toString());
    assertThat(ran.all()).isEmpty();
    assertThat(ran.exitCode()).isZero();
    long number = Long.parseLong(Files.readString(pid).strip());
    ProcessHandle server = ProcessHandle.of(number).orElseThrow();
    assertThat(Peers.run("nbdinfo", "--size", uri()).ok().out()).isEqualTo(SIZE + "\n");
    server.destroy();
    server.onExit().join();
  }

  @ParameterizedTest
  @EnumSource
  void aMissingImageFailsWithTheSameWords(Side side) {
    for (String[] fork : new String[][] {{}, {"--fork"}}) {
      var arguments = new ArrayList<>(List.of(fork));
      arguments.addAll(List.of("-k", socket.toString(), temp + "/none"));
      Ran ran = side.run("qemu-nbd", arguments.toArray(String[]::new));
      assertThat(ran.exitCode()).isEqualTo(1);
      assertThat(ran.err())
          .isEqualTo(
              "qemu-nbd: Failed to blk_new_open '%1$s/none': Could not open '%1$s/none': No such"
                      .formatted(temp)
                  + " file or directory\n");
    }
  }
}
