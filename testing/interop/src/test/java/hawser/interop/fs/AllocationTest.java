package hawser.interop.fs;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import hawser.fs.dispatch.FsDevice;
import hawser.fs.passthrough.CacheMode;
import hawser.fs.passthrough.HandleMode;
import hawser.fs.passthrough.MigrationOptions;
import hawser.fs.passthrough.PassThrough;
import hawser.fs.passthrough.ShareOptions;
import hawser.fs.passthrough.Translation;
import hawser.sys.SocketAddress;
import hawser.testkit.fuse.Answer;
import hawser.testkit.fuse.FuseClient;
import hawser.testkit.fuse.FuseOperations;
import hawser.vhost.backend.BackEndOptions;
import hawser.vhost.backend.BackEndServer;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * In its steady state a queue makes no objects for reading and writing. The Java platform makes one
 * of 40 bytes for a native call, to check where errno goes, where its compiler does not see through
 * that.
 */
class AllocationTest {
  private static final int BLOCK_BYTES = 4096;
  private static final int BLOCKS = 64;
  private static final int WARM_UP = 100_000;
  private static final int COUNTED = 50_000;
  private static final double OF_THE_PLATFORM = 48;
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @Test
  void readsAndWritesMakeNoObjects(@TempDir Path folder) throws Exception {
    Path socket = folder.resolve("s");
    var options =
        new ShareOptions(
            CacheMode.AUTO,
            false,
            false,
            false,
            false,
            false,
            false,
            true,
            false,
            false,
            false,
            false,
            false,
            false,
            Translation.NONE,
            HandleMode.NEVER,
            100);
    try (var files = PassThrough.of(folder, options, MigrationOptions.USUAL, line -> {});
        var device = new FsDevice(files, "", 1, line -> {});
        var server =
            BackEndServer.listen(
                device,
                BackEndOptions.loggingTo(line -> {}),
                new SocketAddress.Unix(socket.toString()));
        var client = FuseClient.connect(socket, 1)) {
      assertThat(server).isNotNull();
      FuseOperations fuse = client.operations();
      fuse.init().ok();
      Answer.Created file = fuse.create(FuseOperations.ROOT_NODE, "f", 2, 0644, 0).created();
      drive(fuse, file, WARM_UP);
      long id = queueThread();
      long before = THREADS.getThreadAllocatedBytes(id);
      drive(fuse, file, COUNTED);
      long allocated = THREADS.getThreadAllocatedBytes(id) - before;
      assertThat((double) allocated / COUNTED).as("bytes per request").isLessThan(OF_THE_PLATFORM);
    }
  }

  private static void drive(FuseOperations fuse, Answer.Created file, int requests) {
    byte[] content = new byte[BLOCK_BYTES];
    long node = file.entry().node();
    long handle = file.opened().handle();
    for (int i = 0; i < requests; i++) {
      long offset = (long) (i / 2 % BLOCKS) * BLOCK_BYTES;
      if (i % 2 == 0) {
        fuse.write(node, handle, offset, content).ok();
      } else {
        fuse.read(node, handle, offset, BLOCK_BYTES).ok();
      }
    }
  }

  private static long queueThread() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("fs-queue-1"))
        .findFirst()
        .orElseThrow()
        .threadId();
  }
}
