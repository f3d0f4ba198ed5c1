package hawser.interop.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Our nbdcopy, with what libnbd's leaves in the same place beside it. */
class NbdcopyTest {
  private static final long SIZE = 24 << 20;

  @TempDir Path temp;
  private Path image;
  private Path socket;

  /** Data, zeroes and single blocks among holes, with an end that no request size divides. */
  @BeforeEach
  void makeImage() throws Exception {
    Peers.requires("nbdcopy", "nbdkit", "qemu-img", "qemu-nbd");
    image = temp.resolve("disk.raw");
    socket = temp.resolve("nbd.sock");
    try (var file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(SIZE + 512);
      byte[] noise = new byte[3 << 20];
      new Random(11).nextBytes(noise);
      file.seek(5 << 20);
      file.write(noise);
      file.write(new byte[2 << 20]);
      for (int block = 0; block < 300; block += 3) {
        file.seek((12L << 20) + block * 4096L);
        file.write(noise, block, 512);
      }
      file.seek(SIZE);
      file.write(noise, 0, 512);
    }
  }

  private String uri() {
    return "nbd+unix:///?socket=" + socket;
  }

  private static String[] words(String... words) {
    return words;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--threads=1",
        "--threads=3",
        "--connections=1 --requests=1",
        "--request-size=4096",
        "--queue-size=65536 --request-size=32768",
        "--synchronous",
        "-S 0",
        "-S 512",
        "--allocated",
        "--no-extents"
      })
  void fromServerToServerAndBackWithEveryOption(String options) throws Exception {
    Path copy = temp.resolve("copy.raw");
    Path second = temp.resolve("second.sock");
    var how = List.of(options.split(" ", -1));
    try (Peer from =
            Peers.start("nbdkit", "-f", "-U", socket.toString(), "file", image.toString())
                .awaitSocket(socket);
        Peer to =
            Peers.start(words("nbdkit", "-f", "-U", second.toString(), "memory", "" + (SIZE + 512)))
                .awaitSocket(second)) {
      String there = "nbd+unix:///?socket=" + second;
      copy(how, uri(), there).ok();
      copy(how, there, copy.toString()).ok();
      assertThat(Files.mismatch(image, copy)).isEqualTo(-1);
      assertThat(from.process().isAlive() && to.process().isAlive()).isTrue();
    }
  }

  private static Ran copy(List<String> options, String from, String to) {
    var all = new ArrayList<>(options);
    all.addAll(List.of(from, to));
    return Side.HAWSER.run("nbdcopy", all.toArray(String[]::new));
  }

  @Test
  void serversInBracketsAreStartedAndHaveClosedTheirDisks() throws Exception {
    Path qcow2 = temp.resolve("disk.qcow2");
    Path copy = temp.resolve("copy.raw");
    for (String program : List.of("qemu-nbd", "ours")) {
      Peers.run("qemu-img", "create", "-qf", "qcow2", qcow2.toString(), "" + (SIZE + 512)).ok();
      var server =
          program.equals("ours")
              ? Side.HAWSER.command("qemu-nbd", "-f", "qcow2", qcow2.toString())
              : List.of(program, "-f", "qcow2", qcow2.toString());
      bracketed(List.of(image.toString()), server).ok();
      assertThat(Peers.run("qemu-img", "compare", image.toString(), qcow2.toString()).exitCode())
          .isEqualTo(0);
      Peers.run("qemu-img", "check", qcow2.toString()).ok();
      var back = new ArrayList<>(List.of("nbdcopy", "--", "["));
      back.addAll(server);
      back.addAll(List.of("]", copy.toString()));
      Side.HAWSER.run("nbdcopy", back.subList(1, back.size()).toArray(String[]::new)).ok();
      assertThat(Files.mismatch(image, copy)).isEqualTo(-1);
      Files.delete(qcow2);
    }
  }

  private static Ran bracketed(List<String> source, List<String> server) {
    var all = new ArrayList<>(List.of("--"));
    all.addAll(source);
    all.add("[");
    all.addAll(server);
    all.add("]");
    return Side.HAWSER.run("nbdcopy", all.toArray(String[]::new));
  }

  @Test
  void aServerThatEndsAtOnceOrABracketThatIsMissingEndsTheCopy() {
    assertThat(Side.HAWSER.run("nbdcopy", "--", "[", "false", "]", "null:").exitCode())
        .isEqualTo(Peers.run("nbdcopy", "--", "[", "false", "]", "null:").exitCode());
    assertThat(Side.HAWSER.run("nbdcopy", "--", "[", "true", "null:").exitCode()).isEqualTo(1);
  }

  /**
   * With {@code -o} nbdkit offers to flush and to write zeroes, and then refuses both. libnbd's
   * nbdcopy ends in the same way.
   */
  @Test
  void anOldServerThatRefusesWhatItOffersIsToldOfAsByLibnbds() throws Exception {
    Path target = temp.resolve("target.raw");
    try (var file = new RandomAccessFile(target.toFile(), "rw")) {
      file.setLength(SIZE + 512);
    }
    try (Peer server =
        Peers.start("nbdkit", "-f", "-o", "-U", socket.toString(), "file", target.toString())
            .awaitSocket(socket)) {
      String[] how = {"--no-extents", "-S", "0", image.toString(), uri()};
      Side.HAWSER.run("nbdcopy", how).ok();
      assertThat(Files.mismatch(image, target)).isEqualTo(-1);
      String[] flushed = {"--flush", "--no-extents", "-S", "0", image.toString(), uri()};
      var libnbds = new ArrayList<>(List.of("nbdcopy"));
      libnbds.addAll(List.of(flushed));
      Ran theirs = Peers.run(libnbds);
      Ran ours = Side.HAWSER.run("nbdcopy", flushed);
      assertThat(theirs.err()).contains("Invalid argument");
      assertThat(ours.err()).contains("Invalid argument");
      assertThat(ours.exitCode()).isEqualTo(theirs.exitCode());
      assertThat(server.process().isAlive()).isTrue();
    }
  }
}
