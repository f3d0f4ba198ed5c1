package hawser.interop.fs;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.sys.ThreadCalls;
import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import hawser.testkit.fuse.FuseClient;
import hawser.testkit.fuse.FuseOperations;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code virtiofsd --supervise}: the daemon is killed, and the guest goes on. */
class SupervisedTest {
  private static final long ROOT = FuseOperations.ROOT_NODE;

  @TempDir Path folder;
  private Path shared;
  private Path socket;

  @BeforeEach
  void makeShare() throws Exception {
    // Nobody in particular serves in some cases.
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
    shared = Files.createDirectory(folder.resolve("shared"));
    Files.writeString(shared.resolve("file"), "content");
    socket = folder.resolve("socket");
  }

  private Peer start(String sandbox) {
    return FsBackEnd.HAWSER.serve(shared, socket, "--supervise", "--sandbox=" + sandbox);
  }

  /** Listens, or takes a connection as well, and becomes the program, which gets the socket. */
  private static final String HAND_OVER =
      """
      my ($path, $connected) = splice(@ARGV, 0, 2);
      $^F = 9 unless $connected;
      socket(my $listening, AF_UNIX, SOCK_STREAM, 0) or die $!;
      bind($listening, sockaddr_un($path)) && listen($listening, 1) or die $!;
      chmod 0777, $path;
      my $given = $listening;
      $^F = 9;
      if ($connected) { accept($given = undef, $listening) or die $!; }
      exec @ARGV, "--fd=" . fileno($given) or die $!;
      """;

  /**
   * Starts a supervisor.
   *
   * @param user "root", or "nobody" if the test is root's
   * @param how it gets its socket: by its path, or handed over, listening or connected
   */
  private Peer start(String sandbox, String user, String how) {
    var command = new ArrayList<String>();
    if (how.equals("path")) {
      command.addAll(
          Side.HAWSER.command("virtiofsd", "--socket-path=" + socket, "--shared-dir=" + shared));
    } else {
      Peers.requires("perl");
      command.addAll(List.of("perl", "-MSocket", "-e", HAND_OVER, "--", socket.toString()));
      command.add(how.equals("connected") ? "1" : "0");
      command.addAll(Side.HAWSER.command("virtiofsd", "--shared-dir=" + shared));
    }
    command.addAll(List.of("--supervise", "--sandbox=" + sandbox));
    if (user.equals("nobody") && ThreadCalls.userId() == 0) {
      command.addAll(0, List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"));
    }
    return Peers.start(command).awaitSocket(socket);
  }

  private static void kill(Peer supervisor) {
    ProcessHandle serving = FsBackEnd.serving(supervisor);
    assertThat(serving.pid()).isNotEqualTo(supervisor.process().pid());
    assertThat(serving.destroyForcibly()).isTrue();
    serving.onExit().join();
  }

  private static String read(FuseOperations guest, long node, long handle) {
    return new String(guest.read(node, handle, 0, 100).ok().data(), StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @CsvSource({
    "none, root, connected, 00000000880000db",
    "namespace, root, listening, 00000000882000db",
    "chroot, root, path, 00000000880400db",
    "landlock, nobody, listening, 0000000000000000",
    "namespace, nobody, path, 0000000000000000"
  })
  void theGuestGoesOn(String sandbox, String user, String how, String rights) throws Exception {
    Assumptions.assumeTrue(ThreadCalls.userId() == 0 || user.equals("nobody"), "needs root");
    try (Peer supervisor = start(sandbox, user, how)) {
      try (FuseClient client = FuseClient.connect(socket, 1)) {
        FuseOperations guest = client.operations();
        guest.init().ok();
        Path status = Path.of("/proc/" + supervisor.process().pid() + "/status");
        assertThat(status).content().contains("CapPrm:\t" + rights, "CapEff:\t" + rights);
        long node = guest.lookup(ROOT, "file").ok().entry().node();
        long handle = guest.open(node, 0).ok().opened().handle();
        Files.delete(shared.resolve("file"));
        kill(supervisor);
        assertThat(read(guest, node, handle)).isEqualTo("content");
        guest.release(node, handle).ok();
        assertThat(supervisor.err())
            .containsPattern(
                "died \\(signal 9\\); after \\d+ ms another one serves, with \\d+ descriptors");
        assertThat(supervisor.terminate()).as(supervisor.err()).isZero();
      }
      // One that was handed over is somebody else's to remove.
      assertThat(Files.exists(socket)).isEqualTo(!how.equals("path"));
    }
  }

  /** One guest after the other, and each survives a death; a successor answers questions too. */
  @Test
  void eachGuestHasADaemonOfItsOwn() throws Exception {
    Path control = folder.resolve("control");
    String[] options = {"--supervise", "--control-socket=" + control};
    try (Peer supervisor = FsBackEnd.HAWSER.serve(shared, socket, options)) {
      for (int i = 0; i < 2; i++) {
        try (FuseClient client = FuseClient.connect(socket, 1)) {
          FuseOperations guest = client.operations();
          guest.init().ok();
          long node = guest.lookup(ROOT, "file").ok().entry().node();
          long handle = guest.open(node, 0).ok().opened().handle();
          kill(supervisor);
          assertThat(read(guest, node, handle)).isEqualTo("content");
          Ran preflight = Side.HAWSER.run("fs-state", "preflight", control.toString()).ok();
          assertThat(preflight.out()).startsWith("ready: 2 inodes, 1 open files, 0 locks;");
        }
      }
      assertThat(supervisor.err().lines().filter(line -> line.contains("died"))).hasSize(2);
      // The next guest's daemon is about to start.
      assertThat(supervisor.terminate()).as(supervisor.err()).isZero();
      assertThat(control).doesNotExist();
    }
  }

  /** The first has served; the others die before they can. */
  @Test
  void itGivesUpAfterDeathsInARow() throws Exception {
    try (Peer supervisor = start("none");
        FuseClient client = FuseClient.connect(socket, 1)) {
      client.operations().init().ok();
      kill(supervisor);
      for (int death = 2; death <= 5; death++) {
        supervisor.await("another worker", () -> hasWorker(supervisor));
        kill(supervisor);
      }
      assertThat(supervisor.await()).isEqualTo(137);
      assertThat(supervisor.err()).contains("died 5 times in a row (signal 9): given up");
    }
  }

  private static boolean hasWorker(Peer supervisor) {
    return supervisor.process().children().findAny().isPresent();
  }
}
