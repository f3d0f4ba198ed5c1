package hawser.interop.fs;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.testkit.Peer;
import hawser.testkit.Peers;
import hawser.testkit.fuse.FuseClient;
import hawser.testkit.fuse.FuseOperations;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the page cache does not hold, or only in part, is read from the disk. */
class ColdFilesTest {
  private static final int FILE_BYTES = (4 << 20) + 1234;
  private static final int READS = 500;
  private static final int READ_BYTES_MAX = 600_000;
  private static final int EVERY = 25;

  @ParameterizedTest
  @EnumSource(FsBackEnd.class)
  void filesAreReadFromTheDisk(FsBackEnd backEnd, @TempDir Path folder) throws Exception {
    var random = new Random(20261123);
    byte[] content = new byte[FILE_BYTES];
    random.nextBytes(content);
    Path shared = Files.createDirectory(folder.resolve("shared"));
    Path file = Files.write(shared.resolve("file"), content);
    Path socket = folder.resolve("socket");
    try (Peer _ = backEnd.serve(shared, socket);
        FuseClient client = FuseClient.connect(socket, 1)) {
      FuseOperations fuse = client.operations();
      fuse.init().ok();
      long node = fuse.lookup(FuseOperations.ROOT_NODE, "file").entry().node();
      long handle = fuse.open(node, 0).opened().handle();
      for (int i = 0; i < READS; i++) {
        if (i % EVERY == 0) {
          forgetPages(file);
        }
        int offset = random.nextInt(FILE_BYTES);
        int bytes = random.nextInt(READ_BYTES_MAX);
        byte[] expected = Arrays.copyOfRange(content, offset, Math.min(offset + bytes, FILE_BYTES));
        assertThat(fuse.read(node, handle, offset, bytes).data()).isEqualTo(expected);
      }
    }
  }

  /** The host's page cache gives up what it holds of a file. */
  private static void forgetPages(Path file) {
    Peers.run("dd", "of=" + file, "oflag=nocache", "conv=notrunc,fdatasync", "count=0").ok();
  }
}
