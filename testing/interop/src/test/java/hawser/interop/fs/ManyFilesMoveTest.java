package hawser.interop.fs;

import static hawser.testkit.fuse.FuseOperations.ROOT_NODE;
import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.fuse.FuseClient;
import hawser.testkit.fuse.FuseOperations;
import hawser.testkit.fuse.InitFlags;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A guest that knows 100,000 files moves, and knows each of them afterwards. */
class ManyFilesMoveTest {
  private static final int FOLDERS = 100;
  private static final int FILES = 1000;
  private static final int SAMPLE = 5000;
  private static final String BY_HANDLES = "--inode-file-handles=prefer";

  @TempDir Path temp;

  /** A file that the guest knows. */
  private record Known(long node, long inode) {}

  private Path shared() throws Exception {
    Path shared = Files.createDirectory(temp.resolve("shared"));
    for (int i = 0; i < FOLDERS; i++) {
      Path in = Files.createDirectory(shared.resolve("folder-" + i));
      for (int j = 0; j < FILES; j++) {
        Files.createFile(in.resolve("file-" + j));
      }
    }
    return shared;
  }

  private static List<Known> lookUp(FuseOperations fuse) {
    var known = new ArrayList<Known>();
    for (int i = 0; i < FOLDERS; i++) {
      long folder = fuse.lookup(ROOT_NODE, "folder-" + i).entry().node();
      for (int j = 0; j < FILES; j++) {
        var entry = fuse.lookup(folder, "file-" + j).entry();
        known.add(new Known(entry.node(), entry.attributes().inode()));
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
  void allAreKnownThere(FsBackEnd from, FsBackEnd to, String fromOption, String toOption)
      throws Exception {
    Path shared = shared();
    try (Peer _ = from.serve(shared, temp.resolve("old"), options(fromOption));
        Peer next = to.serve(shared, temp.resolve("new"), options(toOption));
        FuseClient guest = FuseClient.connect(temp.resolve("old"), 1)) {
      FuseOperations fuse = guest.operations();
      fuse.init(42, InitFlags.EVERYDAY).ok();
      List<Known> known = lookUp(fuse);
      guest.moveTo(temp.resolve("new"), guest.save());
      var dice = new Random(1);
      for (int i = 0; i < SAMPLE; i++) {
        Known one = known.get(dice.nextInt(known.size()));
        assertThat(fuse.getattr(one.node).attributes().inode()).as(next.err()).isEqualTo(one.inode);
      }
      // None is known by another number, and none of another file's.
      assertThat(lookUp(fuse)).isEqualTo(known);
    }
  }

  private static String[] options(String option) {
    return option.equals(BY_HANDLES)
        ? new String[] {option, "--modcaps=+dac_read_search"}
        : new String[] {option};
  }
}
