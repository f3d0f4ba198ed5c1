package hawser.interop.fs;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.sys.ThreadCalls;
import hawser.testkit.Peer;
import hawser.testkit.Ran;
import hawser.testkit.Side;
import hawser.testkit.fuse.FuseClient;
import hawser.testkit.fuse.FuseOperations;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code virtiofsd --supervise}: the daemon is killed, and the guest goes on. */
class SupervisedTest {
  private static final long ROOT = FuseOperations.ROOT_NODE;

  @TempDir Path folder;
  private Path shared;
  private Path socket;

  @BeforeEach
  void makeShare() throws Exception {
    shared = Files.createDirectory(folder.resolve("shared"));
    Files.writeString(shared.resolve("file"), "content");
    socket = folder.resolve("socket");
  }

  private Peer start(String sandbox) {
    return FsBackEnd.HAWSER.serve(shared, socket, "--supervise", "--sandbox=" + sandbox);
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
  @ValueSource(strings = {"none", "namespace", "landlock", "chroot"})
  void theGuestGoesOn(String sandbox) throws Exception {
    Assumptions.assumeTrue(ThreadCalls.userId() == 0 || sandbox.equals("none"), "needs root");
    try (Peer supervisor = start(sandbox)) {
      try (FuseClient client = FuseClient.connect(socket, 1)) {
        FuseOperations guest = client.operations();
        guest.init().ok();
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
      assertThat(socket).doesNotExist();
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
      supervisor.terminate();
      assertThat(control).doesNotExist();
    }
  }

  @Test
  void itGivesUpAfterDeathsInARow() throws Exception {
    try (Peer supervisor = start("none");
        FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations guest = client.operations();
      guest.init().ok();
      for (int death = 1; death < 5; death++) {
        kill(supervisor);
        guest.getattr(ROOT).ok();
      }
      kill(supervisor);
      assertThat(supervisor.await()).isEqualTo(137);
      assertThat(supervisor.err()).contains("died 5 times in a row (signal 9): given up");
    }
  }
}
