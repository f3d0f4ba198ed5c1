package hawser.interop.vhost;

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
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The judge, of all of our back-ends and of strangers; docs/vhost-user-conformance.md says what it
 * found.
 */
class ConformTest {
  /** What QEMU's storage daemon 10.0.2 does not keep; the last of these ends its process. */
  private static final List<String> QEMU_FAILS =
      List.of(
          "configuration offset", "disabled ring", "started without a kick", "vring of nowhere");

  /** The same, where it may have a userfaultfd. */
  private static final List<String> QEMU_FAILS_IN_POSTCOPY =
      List.of("postcopy by table", "postcopy by slots");

  @TempDir Path temp;
  private Path image;
  private Path socket;

  @BeforeEach
  void makeImage() throws Exception {
    image = temp.resolve("disk.raw");
    socket = temp.resolve("s");
    try (var file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(8 << 20);
    }
  }

  private Ran judge() {
    return judge("--device=blk");
  }

  private Ran judge(String... options) {
    var line = new ArrayList<>(List.of("conform"));
    line.addAll(List.of(options));
    line.add(socket.toString());
    return Side.HAWSER.run("vhost-user", line.toArray(String[]::new));
  }

  private static List<String> failed(Ran ran) {
    return ran.out()
        .lines()
        .filter(line -> line.startsWith("FAIL"))
        .map(line -> line.substring(14, 48).strip())
        .toList();
  }

  @Test
  void oursKeepsEveryRule() {
    try (Peer server = BlkBackEnd.HAWSER.serve(image, socket, 2)) {
      Ran ran = judge().ok();
      assertThat(failed(ran)).isEmpty();
      assertThat(ran.out())
          .contains("pass          packed ring")
          .contains("not offered   in order");
      assertThat(server.process().isAlive()).isTrue();
    }
  }

  /** The disk has a test of its own, for it is judged by more cases. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "vhost-user-rng",
        "vhost-user-console --pty",
        "vhost-user-input --script=disk.raw",
        "vhost-user-vsock --guest-cid=5 --uds-path=vsock",
        "virtiofsd --shared-dir=."
      })
  void allOfOursKeepEveryRule(String program) throws Exception {
    Files.writeString(image, "1 30 1\n");
    String[] words = program.split(" ", -1);
    var options = new ArrayList<>(List.of(words).subList(1, words.length));
    options.add("--socket-path=" + socket);
    try (Peer server = Side.HAWSER.startIn(temp, words[0], options.toArray(String[]::new))) {
      server.awaitSocket(socket);
      Ran ran = judge("--device=any").ok();
      assertThat(failed(ran)).isEmpty();
      assertThat(ran.out())
          .contains("pass          ring without work")
          .contains("pass          vring of nowhere");
      assertThat(server.process().isAlive()).isTrue();
    }
  }

  /** It serves one front-end and ends: the judge starts it again for each. */
  @Test
  void rustsVirtiofsdKeepsEveryRule() {
    Path program = Side.ROOT.resolve("testing/target/virtiofsd/virtiofsd");
    Assumptions.assumeTrue(Files.isExecutable(program), "needs virtiofsd");
    String command =
        "%s --sandbox=none --socket-path=%s --shared-dir=%s".formatted(program, socket, temp);
    Ran ran = judge("--start=" + command).ok();
    assertThat(failed(ran)).isEmpty();
    assertThat(ran.out())
        .contains("pass          device state ")
        .contains("pass          vring of nowhere");
  }

  @Test
  void aProcessThatCrashesIsAFailureAlsoWhereItIsStartedAgain() {
    Peers.requires("qemu-storage-daemon");
    String command =
        "qemu-storage-daemon --blockdev driver=null-co,node-name=d,size=8388608 --export"
            + " vhost-user-blk,id=e,node-name=d,addr.type=unix,addr.path="
            + socket;
    Ran ran = judge("--start=" + command);
    assertThat(ran.exitCode()).isEqualTo(1);
    assertThat(failed(ran)).contains("vring of nowhere");
  }

  @Test
  void qemusStorageDaemonFailsWhereItIsKnownTo() {
    try (Peer _ = BlkBackEnd.QEMU.serve(image, socket, 2)) {
      Ran ran = judge();
      assertThat(ran.exitCode()).isEqualTo(1);
      var fails = new ArrayList<>(QEMU_FAILS);
      if (!ran.out().contains("not offered   postcopy announced")) {
        fails.addAll(QEMU_FAILS.size() - 1, QEMU_FAILS_IN_POSTCOPY);
      }
      assertThat(failed(ran)).isEqualTo(fails);
      assertThat(ran.out()).contains("not offered   packed ring");
    }
  }

  @Test
  void probeSaysWhatIsOffered() {
    try (Peer _ = BlkBackEnd.QEMU.serve(image, socket, 2)) {
      assertThat(Side.HAWSER.run("vhost-user", "probe", socket.toString()).ok().out())
          .contains("VERSION_1")
          .contains("REPLY_ACK")
          .contains("queues: 2\n")
          .contains("configuration: 0040000000000000");
    }
  }

  @Test
  void nobodyThereIsAnErrorAndNotAVerdict() {
    Ran ran = judge();
    assertThat(ran.exitCode()).isEqualTo(1);
    assertThat(ran.out()).isEmpty();
    assertThat(ran.err()).contains("vhost-user: Failed to connect to '" + socket + "'");
  }
}
