package hawser.interop.fs;

import static hawser.testkit.fuse.FuseOperations.ROOT_NODE;
import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.fuse.Answer;
import hawser.testkit.fuse.FuseClient;
import hawser.testkit.fuse.FuseOperations;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A guest knows far more files than the daemon may have open. virtiofsd, which keeps one open for
 * each, answers ENFILE there.
 */
class ManyFilesTest {
  private static final int OPEN_FILES_MAX = 1024;
  private static final int FOLDERS = 100;
  private static final int FILES = 1000;
  private static final int SAMPLE = 3000;
  private static final int EMFILE = 24;

  @TempDir Path folder;
  private Path shared;

  /** A file that the guest knows. */
  private record Known(long node, long inode, String folder, String name) {}

  @BeforeEach
  void makeFiles() throws IOException {
    shared = Files.createDirectory(folder.resolve("shared"));
    for (int i = 0; i < FOLDERS; i++) {
      Path in = Files.createDirectory(shared.resolve("folder-" + i));
      for (int j = 0; j < FILES; j++) {
        Files.createFile(in.resolve("file-" + j));
      }
    }
  }

  private Peer serve(Path socket) {
    return FsBackEnd.HAWSER.serve(
        shared, socket, "--rlimit-nofile=" + OPEN_FILES_MAX, "--log-level=warn");
  }

  /** Lists everything with attributes: each name counts as looked up. */
  private static List<Known> learn(FuseOperations fuse) {
    var known = new ArrayList<Known>();
    for (int i = 0; i < FOLDERS; i++) {
      String name = "folder-" + i;
      long node = fuse.lookup(ROOT_NODE, name).entry().node();
      for (Answer.Dirent one : fuse.listPlus(node)) {
        if (one.name().startsWith("file-")) {
          known.add(new Known(one.entry().node(), one.inode(), name, one.name()));
        }
      }
    }
    return known;
  }

  @Test
  void allStayWithinReachOfAFewDescriptors() throws Exception {
    Path socket = folder.resolve("socket");
    try (Peer daemon = serve(socket);
        FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations fuse = client.operations();
      fuse.init().ok();
      List<Known> known = learn(fuse);
      assertThat(known).hasSize(FOLDERS * FILES);
      assertThat(known.stream().map(Known::node).distinct()).hasSize(FOLDERS * FILES);
      var dice = new Random(1);
      for (int i = 0; i < SAMPLE; i++) {
        work(fuse, known.get(dice.nextInt(known.size())));
      }
      assertThat(openFiles(daemon)).isLessThanOrEqualTo(OPEN_FILES_MAX);
      foldersMove(fuse, known);
      openedUntilRefused(fuse, known);
      assertThat(daemon.err()).isEmpty();
    }
  }

  private void work(FuseOperations fuse, Known one) throws IOException {
    assertThat(fuse.getattr(one.node).attributes().inode()).isEqualTo(one.inode);
    long handle = fuse.open(one.node, 2).opened().handle();
    byte[] content = one.name.getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    assertThat(fuse.write(one.node, handle, 0, content).count()).isEqualTo(content.length);
    fuse.release(one.node, handle).ok();
    assertThat(shared.resolve(one.folder).resolve(one.name)).hasContent(one.name);
  }

  private static int openFiles(Peer daemon) {
    long pid = FsBackEnd.serving(daemon).pid();
    String[] open = Path.of("/proc", pid + "", "fd").toFile().list();
    return open == null ? -1 : open.length;
  }

  /** The guest's own renames are followed; files stay what they were. */
  private void foldersMove(FuseOperations fuse, List<Known> known) {
    for (int i = 0; i < FOLDERS; i += 2) {
      fuse.rename(ROOT_NODE, "folder-" + i, ROOT_NODE, "moved-" + i).ok();
    }
    var dice = new Random(2);
    for (int i = 0; i < SAMPLE; i++) {
      Known one = known.get(dice.nextInt(known.size()));
      assertThat(fuse.getattr(one.node).attributes().inode()).isEqualTo(one.inode);
    }
    assertThat(shared.resolve("moved-0/file-1")).exists();
  }

  /** Open files are the guest's to have: it is told when there are too many, and goes on. */
  private static void openedUntilRefused(FuseOperations fuse, List<Known> known) {
    var handles = new ArrayList<Long>();
    Answer last = fuse.open(known.getFirst().node, 0);
    while (last.error() == 0) {
      handles.add(last.opened().handle());
      last = fuse.open(known.get(handles.size() * 7).node, 0);
    }
    assertThat(last.error()).isEqualTo(EMFILE);
    assertThat(handles).hasSizeGreaterThan(OPEN_FILES_MAX / 2);
    // A name is still looked up, for that takes no descriptor; a file can be opened once one is
    // closed.
    Known other = known.getLast();
    assertThat(fuse.getattr(other.node).attributes().inode()).isEqualTo(other.inode);
    for (long handle : handles.subList(0, 10)) {
      fuse.release(known.getFirst().node, handle).ok();
    }
    fuse.open(other.node, 0).opened();
  }
}
