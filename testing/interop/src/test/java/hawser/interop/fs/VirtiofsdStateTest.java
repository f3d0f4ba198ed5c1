package hawser.interop.fs;

import static hawser.testkit.fuse.FuseOperations.ROOT_NODE;
import static org.assertj.core.api.Assertions.assertThat;

import hawser.base.BlockFault;
import hawser.testkit.Peer;
import hawser.testkit.Side;
import hawser.testkit.fuse.FuseClient;
import hawser.testkit.fuse.FuseOperations;
import hawser.testkit.fuse.InitFlags;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The states of virtiofsd that module fs keeps, and reads for ever, are what virtiofsd writes:
 * these are recorded again here and compared.
 */
class VirtiofsdStateTest {
  private static final Path KEPT =
      Side.ROOT.resolve("virtio/fs/src/test/resources/hawser/fs/state");
  private static final int O_RDWR_APPEND = 02002;
  private static final int O_RDWR = 2;

  @TempDir Path temp;

  /** The state of a guest that holds some files, always the same. */
  private byte[] record(String mode, boolean writeback) throws Exception {
    Path shared = Files.createDirectory(temp.resolve("shared"));
    Path socket = temp.resolve("socket");
    String option = writeback ? "--writeback" : "--posix-acl";
    try (Peer _ = FsBackEnd.VIRTIOFSD.serve(shared, socket, "--migration-mode=" + mode, option);
        FuseClient guest = FuseClient.connect(socket, 1)) {
      hold(guest.operations(), writeback);
      return guest.save();
    }
  }

  private static void hold(FuseOperations fuse, boolean writeback) throws BlockFault {
    long acl = InitFlags.POSIX_ACL | InitFlags.DONT_MASK;
    long own = writeback ? InitFlags.WRITEBACK_CACHE | InitFlags.CREATE_SUPP_GROUP : acl;
    fuse.init(38, InitFlags.EVERYDAY | InitFlags.SUBMOUNTS | own).ok();
    long directory = fuse.mkdir(ROOT_NODE, "directory", 0755, 0).entry().node();
    fuse.opendir(directory).ok();
    long file = fuse.create(directory, "file", O_RDWR_APPEND, 0644, 0).created().entry().node();
    fuse.open(file, 0).ok();
    fuse.link(file, ROOT_NODE, "linked").ok();
    fuse.mkdir(directory, "below", 0755, 0).ok();
    fuse.create(directory, "renamed-later", O_RDWR, 0600, 0).ok();
    fuse.rename(directory, "renamed-later", ROOT_NODE, "renamed").ok();
    fuse.symlink(ROOT_NODE, "link", "directory/file").ok();
    fuse.mknod(ROOT_NODE, "fifo", 0010644, 0, 0).ok();
    fuse.create(ROOT_NODE, "unlinked", O_RDWR, 0644, 0).ok();
    fuse.unlink(ROOT_NODE, "unlinked").ok();
    fuse.lookup(ROOT_NODE, "directory").ok();
  }

  @ParameterizedTest
  @CsvSource({"false, virtiofsd-1.13.2-paths.state", "true, virtiofsd-1.13.2-writeback.state"})
  void aStateOfPathsIsTheOneThatIsKept(boolean writeback, String kept) throws Exception {
    byte[] state = record("find-paths", writeback);
    assertThat(state).isEqualTo(Files.readAllBytes(KEPT.resolve(kept)));
  }

  /** Its file handles are another machine's, and as long. */
  @Test
  void aStateOfHandlesHasTheFormOfTheOneThatIsKept() throws Exception {
    byte[] state = record("file-handles", false);
    byte[] kept = Files.readAllBytes(KEPT.resolve("virtiofsd-1.13.2-handles.state"));
    // Version and number of inodes, then open files and what was agreed: the same everywhere.
    assertThat(state).startsWith(Arrays.copyOf(kept, 3)).endsWith(1, '.');
    assertThat(tail(state)).isEqualTo(tail(kept));
  }

  /** From the next inode's number on: five open files follow. */
  private static byte[] tail(byte[] state) {
    int end = state.length - 4;
    return Arrays.copyOfRange(state, end - 31, end);
  }
}
