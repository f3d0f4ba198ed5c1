package hawser.interop.vhost;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A front-end of strangers that is not QEMU's: libblkio, as {@code testing/peers.sh} unpacks it.
 */
class LibblkioTest {
  private static final Path PACKAGES = Side.ROOT.resolve("testing/target/blkio/unpacked/usr");
  private static final Path LIBRARIES = PACKAGES.resolve("lib/x86_64-linux-gnu");

  @TempDir Path temp;

  private Path compiled() {
    Peers.requires("gcc");
    Assumptions.assumeTrue(Files.isDirectory(LIBRARIES), "needs libblkio");
    Path program = temp.resolve("verify");
    Path source = Side.ROOT.resolve("testing/interop/src/test/resources/blkio/verify.c");
    List<String> line =
        List.of(
            "gcc",
            "-O1",
            "-o",
            program.toString(),
            source.toString(),
            "-I" + PACKAGES.resolve("include"),
            "-L" + LIBRARIES,
            "-lblkio",
            "-Wl,--allow-shlib-undefined");
    Ran _ = Peers.run(line).ok();
    return program;
  }

  @ParameterizedTest
  @CsvSource({"QEMU, raw", "HAWSER, raw", "HAWSER, qcow2", "HAWSER, direct"})
  void whatIsWrittenIsRead(BlkBackEnd side, String kind) throws Exception {
    Path program = compiled();
    Path image = temp.resolve("disk");
    Path socket = temp.resolve("s");
    Path expected = temp.resolve("expected");
    try (Peer server = serve(side, kind, image, socket)) {
      List<String> line =
          List.of(
              LIBRARIES.resolve("ld-linux-x86-64.so.2").toString(),
              "--library-path",
              LIBRARIES.toString(),
              program.toString(),
              socket.toString(),
              expected.toString());
      Ran _ = Peers.run(line).ok();
      assertThat(server.terminate()).as(server.err()).isZero();
    }
    Path content = image;
    if (kind.equals("qcow2")) {
      content = temp.resolve("content");
      Ran _ = Side.HAWSER.run("qemu-img", "check", image.toString()).ok();
      Ran _ =
          Side.HAWSER
              .run("qemu-img", "convert", "-O", "raw", image.toString(), content.toString())
              .ok();
    }
    assertThat(Files.mismatch(content, expected)).isEqualTo(-1);
  }

  private Peer serve(BlkBackEnd side, String kind, Path image, Path socket) throws Exception {
    if (kind.equals("qcow2")) {
      Side.HAWSER.run("qemu-img", "create", "-f", "qcow2", image.toString(), "8M").ok();
    } else {
      try (var file = new RandomAccessFile(image.toFile(), "rw")) {
        file.setLength(8 << 20);
      }
    }
    return kind.equals("raw")
        ? side.serve(image, socket, 2)
        : Side.HAWSER
            .start(
                "vhost-user-blk",
                "--socket-path=" + socket,
                "--blk-file=" + image,
                "--format=" + (kind.equals("direct") ? "raw" : kind),
                "--cache=" + (kind.equals("direct") ? "none" : "writeback"),
                "--num-queues=2")
            .awaitSocket(socket);
  }
}
