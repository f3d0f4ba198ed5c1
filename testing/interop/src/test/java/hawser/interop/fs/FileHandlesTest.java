package hawser.interop.fs;

import static hawser.testkit.fuse.FuseOperations.ROOT_NODE;
import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.fuse.FuseClient;
import hawser.testkit.fuse.FuseOperations;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * {@code --inode-file-handles}: what a guest has looked up and not opened is the same file,
 * whatever others on the host have called it since.
 */
class FileHandlesTest {
  private static final String PREFER = "--inode-file-handles=prefer";
  private static final String MANDATORY = "--inode-file-handles=mandatory";
  private static final int ESTALE = 116;
  private static final int EOPNOTSUPP = 95;

  @TempDir Path temp;
  private Path shared;
  private final List<Path> mounts = new ArrayList<>();

  @BeforeEach
  void makeShare() throws IOException {
    shared = Files.createDirectory(temp.resolve("shared"));
  }

  @AfterEach
  void unmount() {
    mounts.forEach(mount -> Peers.run("umount", "-l", mount.toString()));
  }

  /** A file system within the share, of a type that the kernel always has. */
  private void mount(String type, Path at) throws IOException {
    Files.createDirectories(at);
    Assumptions.assumeTrue(
        Peers.run("mount", "-t", type, "none", at.toString()).exitCode() == 0,
        "needs the right to mount");
    mounts.add(at);
  }

  private void mountWithin() throws IOException {
    mount("tmpfs", shared.resolve("folder/submount"));
    // Where it will have moved to.
    mounts.add(shared.resolve("folder-moved/submount"));
  }

  private Peer serve(FsBackEnd program, String name, String... options) {
    return program.serve(shared, temp.resolve(name), options);
  }

  private FuseClient guest(String name) throws Exception {
    FuseClient client = FuseClient.connect(temp.resolve(name), 1);
    client.operations().init().ok();
    return client;
  }

  /** Files that the guest knows by names that others have taken since. */
  private final class Moved {
    private final long renamed;
    private final long folderRenamed;
    private final long linked;
    private final long onMount;
    private final long replaced;

    Moved(FuseOperations guest) throws IOException {
      Path folder = shared.resolve("folder");
      Path submount = folder.resolve("submount");
      Files.writeString(shared.resolve("renamed"), "renamed");
      Files.writeString(folder.resolve("within"), "within");
      Files.writeString(shared.resolve("linked"), "linked");
      Files.createLink(shared.resolve("link"), shared.resolve("linked"));
      Files.writeString(submount.resolve("on"), "on");
      Files.writeString(shared.resolve("replaced"), "replaced");
      renamed = guest.walk("renamed");
      folderRenamed = guest.walk("folder/within");
      linked = guest.walk("linked");
      onMount = guest.walk("folder/submount/on");
      replaced = guest.walk("replaced");
      Files.move(shared.resolve("renamed"), folder.resolve("elsewhere"));
      Files.writeString(shared.resolve("renamed"), "another");
      Files.delete(shared.resolve("linked"));
      Files.move(submount.resolve("on"), submount.resolve("moved"));
      Files.move(folder, shared.resolve("folder-moved"));
      Files.delete(shared.resolve("replaced"));
      Files.writeString(shared.resolve("replaced"), "another");
    }

    void areTheSame(FuseOperations guest) {
      assertThat(read(guest, renamed)).isEqualTo("renamed");
      assertThat(read(guest, folderRenamed)).isEqualTo("within");
      assertThat(read(guest, linked)).isEqualTo("linked");
      assertThat(read(guest, onMount)).isEqualTo("on");
      // Nothing is left of that one, and it is not what has its name now.
      assertThat(guest.getattr(replaced).error()).isEqualTo(ESTALE);
      assertThat(guest.open(replaced, 0).error()).isEqualTo(ESTALE);
    }

    private String read(FuseOperations guest, long node) {
      long size = guest.getattr(node).ok().attributes().size();
      long handle = guest.open(node, 0).ok().opened().handle();
      String content = guest.read(node, handle, 0, 100).ok().text();
      guest.release(node, handle).ok();
      assertThat(content).hasSize((int) size);
      return content;
    }
  }

  @ParameterizedTest
  @EnumSource
  void othersMayRenameWhatTheGuestKnows(FsBackEnd program) throws Exception {
    mountWithin();
    try (Peer daemon = serve(program, "socket", PREFER);
        FuseClient client = guest("socket")) {
      new Moved(client.operations()).areTheSame(client.operations());
      assertThat(daemon.err()).doesNotContain("file handle");
    }
  }

  /** What leads to files is a successor's too, and travels. */
  @Test
  void soItIsAfterADeathAndAJourney() throws Exception {
    mountWithin();
    try (Peer first = serve(FsBackEnd.HAWSER, "first", MANDATORY, "--supervise");
        Peer _ = serve(FsBackEnd.HAWSER, "next", PREFER);
        FuseClient client = guest("first")) {
      var moved = new Moved(client.operations());
      ProcessHandle serving = FsBackEnd.serving(first);
      assertThat(serving.destroyForcibly()).isTrue();
      serving.onExit().join();
      moved.areTheSame(client.operations());
      client.moveTo(temp.resolve("next"), client.save());
      moved.areTheSame(client.operations());
    }
  }

  /** A file system that has none is served by names where handles are only preferred. */
  @ParameterizedTest
  @EnumSource
  void notEveryFileSystemHasHandles(FsBackEnd program) throws Exception {
    mount("ramfs", shared.resolve("without"));
    Files.createFile(shared.resolve("without/file"));
    try (Peer _ = serve(program, "prefer", PREFER);
        Peer _ = serve(program, "mandatory", MANDATORY);
        FuseClient preferring = guest("prefer");
        FuseClient insisting = guest("mandatory")) {
      long node = preferring.operations().walk("without/file");
      preferring.operations().getattr(node).ok();
      assertThat(insisting.operations().lookup(ROOT_NODE, "without").error()).isEqualTo(EOPNOTSUPP);
    }
  }

  @Test
  void aShareWithoutHandlesIsRefusedOrServedByNames() throws Exception {
    mount("ramfs", shared);
    Files.createFile(shared.resolve("file"));
    for (FsBackEnd program : FsBackEnd.values()) {
      if (program == FsBackEnd.HAWSER || FsBackEnd.isHere()) {
        String socket = "--socket-path=" + temp.resolve("refused");
        try (Peer refused = program.start(List.of(socket, "--shared-dir=" + shared, MANDATORY))) {
          assertThat(refused.await()).as(refused.err()).isEqualTo(1);
        }
      }
    }
    try (Peer daemon = serve(FsBackEnd.HAWSER, "served", PREFER);
        FuseClient client = guest("served")) {
      assertThat(client.operations().walk("file")).isPositive();
      assertThat(daemon.err())
          .contains(
              "Failed to open file handle for the root node: Operation not supported;"
                  + " files are opened again by their names only");
    }
  }
}
