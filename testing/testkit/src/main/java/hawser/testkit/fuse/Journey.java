package hawser.testkit.fuse;

import hawser.base.BlockFault;
import hawser.vhost.frontend.Driver;
import hawser.vhost.frontend.Sockets;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;

/**
 * A guest that knows many files moves to another back-end, for benchmarks: {@code Journey SOCKET
 * NEW_SOCKET FILES OPEN PREPARE_MS} prints the milliseconds of its pause, of saving and of loading
 * therein, and the bytes of its state. The files are those of {@link FsLoad}'s {@code make}.
 */
public final class Journey {
  private static final int FILES_IN_FOLDER = 1000;
  private static final double MILLISECOND = 1e6;

  private Journey() {}

  /** Moves once. */
  public static void main(String[] args) throws BlockFault {
    Path from = Path.of(args[0]);
    Path to = Path.of(args[1]);
    int files = Integer.parseInt(args[2]);
    int open = Integer.parseInt(args[3]);
    long prepareNanos = Long.parseLong(args[4]) * 1_000_000;
    try (FuseClient guest = FuseClient.connect(from, 1)) {
      FuseOperations fuse = guest.operations();
      fuse.init().ok();
      long last = know(fuse, files, open);
      Driver there = guest.driver().destination(Sockets.connect(to));
      guest.driver().startLog();
      // Meanwhile a guest's memory would be copied.
      long ready = System.nanoTime() + prepareNanos;
      while (System.nanoTime() < ready) {
        LockSupport.parkNanos(ready - System.nanoTime());
      }
      long began = System.nanoTime();
      byte[] state = guest.stopAndSave();
      long saved = System.nanoTime();
      guest.driver().moveTo(there, state);
      fuse.getattr(last).ok();
      long ended = System.nanoTime();
      System.out.printf(
          "%.1f %.1f %.1f %d%n",
          (ended - began) / MILLISECOND,
          (saved - began) / MILLISECOND,
          (ended - saved) / MILLISECOND,
          state.length);
    }
  }

  /** Looks up so many files and opens some of them; answers the last one's inode. */
  static long know(FuseOperations fuse, int files, int open) {
    long last = FuseOperations.ROOT_NODE;
    for (int made = 0; made < files; made += FILES_IN_FOLDER) {
      long folder = fuse.lookup(FuseOperations.ROOT_NODE, "tree-" + made).entry().node();
      for (int i = 0; i < FILES_IN_FOLDER; i++) {
        last = fuse.lookup(folder, "f" + i).entry().node();
        if (made + i < open) {
          fuse.open(last, 2).ok();
        }
      }
    }
    return last;
  }
}
