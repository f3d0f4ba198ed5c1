package hawser.interop.fs;

import static hawser.testkit.fuse.FuseOperations.ROOT_NODE;
import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.fuse.Answer;
import hawser.testkit.fuse.FuseClient;
import hawser.testkit.fuse.FuseOperations;
import hawser.testkit.fuse.InitFlags;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A guest that knows 100,000 files moves, and knows each of them afterwards. */
class ManyFilesMoveTest {
  private static final int FOLDERS = 100;
  private static final int FILES = 1000;
  private static final int SAMPLE = 5000;
  private static final String BY_HANDLES = "--inode-file-handles=prefer";

  /** Made once: removing 100,000 files takes as long as making them. */
  @TempDir static Path temp;

  private static Path shared;

  /** A file that the guest knows. */
  private record Known(long node, long inode) {}

  @BeforeAll
  static void makeFiles() throws IOException {
    shared = Files.createDirectory(temp.resolve("shared"));
    for (int i = 0; i < FOLDERS; i++) {
      Path in = Files.createDirectory(shared.resolve("folder-" + i));
      for (int j = 0; j < FILES; j++) {
        Files.createFile(in.resolve("file-" + j));
      }
    }
  }

  /** What the guest knows by the name of each, once all are listed with their attributes. */
  private static Map<String, Known> learn(FuseOperations fuse) {
    var known = new HashMap<String, Known>();
    for (int i = 0; i < FOLDERS; i++) {
      String name = "folder-" + i;
      long folder = fuse.lookup(ROOT_NODE, name).entry().node();
      for (Answer.Dirent one : fuse.listPlus(folder)) {
        if (one.name().startsWith("file-")) {
          known.put(name + "/" + one.name(), new Known(one.entry().node(), one.inode()));
        }
      }
    }
    return known;
  }

  @ParameterizedTest
  @CsvSource({
    "HAWSER, HAWSER, --xattr, --xattr",
    "VIRTIOFSD, HAWSER, --inode-file-handles=prefer, --xattr",
    "HAWSER, VIRTIOFSD, --state-format=virtiofsd, --inode-file-handles=prefer",
  })
  void allAreKnownThere(
      FsBackEnd from, FsBackEnd to, String fromOption, String toOption, @TempDir Path sockets)
      throws Exception {
    try (Peer _ = from.serve(shared, sockets.resolve("old"), options(fromOption));
        Peer next = to.serve(shared, sockets.resolve("new"), options(toOption));
        FuseClient guest = FuseClient.connect(sockets.resolve("old"), 1)) {
      FuseOperations fuse = guest.operations();
      fuse.init(42, InitFlags.EVERYDAY).ok();
      Map<String, Known> known = learn(fuse);
      assertThat(known).hasSize(FOLDERS * FILES);
      guest.moveTo(sockets.resolve("new"), guest.save());
      var dice = new Random(1);
      var all = new ArrayList<>(known.values());
      for (int i = 0; i < SAMPLE; i++) {
        Known one = all.get(dice.nextInt(all.size()));
        assertThat(fuse.getattr(one.node).attributes().inode()).as(next.err()).isEqualTo(one.inode);
      }
      // None is known by another number, and none of another file's.
      assertThat(learn(fuse)).isEqualTo(known);
    }
  }

  private static String[] options(String option) {
    return option.equals(BY_HANDLES)
        ? new String[] {option, "--modcaps=+dac_read_search"}
        : new String[] {option};
  }
}
