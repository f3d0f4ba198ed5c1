package hawser.fs.passthrough;

import hawser.base.BlockFault;
import hawser.fs.Name;
import hawser.fs.state.Identity;
import hawser.fs.state.Location;
import hawser.fs.state.SavedInode;
import hawser.fs.state.SavedSettings;
import hawser.fs.state.StateForms;
import hawser.fs.state.StateSink;
import hawser.sys.Statx;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;

/**
 * A guest that was made up arrives and leaves, so that the code for it is compiled before a real
 * one waits for it to arrive: in a new process it would take three times as long. Only the shared
 * folder itself is opened, and nothing is asked of the file system.
 */
public final class Rehearsal {
  private static final int FOLDERS = 5;
  private static final int FILES_IN_FOLDER = 1000;
  private static final int ROUNDS = 2;

  private Rehearsal() {}

  /** Rehearses with a share of its own; takes a third of a processor's second. */
  public static void run(Path folder, ShareOptions options) throws BlockFault, IOException {
    byte[] state = state();
    try (PassThrough share = PassThrough.ofNobody(folder, options)) {
      for (int i = 0; i < ROUNDS; i++) {
        share.load(new ByteArrayInputStream(state));
        share.save(OutputStream.nullOutputStream());
      }
    }
  }

  private static byte[] state() throws IOException {
    var state = new ByteArrayOutputStream();
    StateSink sink = StateForms.HAWSER.writing(state);
    sink.settings(new SavedSettings(true, 0, Inodes.ROOT_ID, 0));
    long node = Inodes.ROOT_ID;
    sink.inode(inode(node, Statx.DIRECTORY, new Location.Root()));
    for (int i = 0; i < FOLDERS; i++) {
      long directory = ++node;
      var at = new Location.Named(Inodes.ROOT_ID, Name.of("folder-" + i));
      sink.inode(inode(directory, Statx.DIRECTORY, at));
      for (int j = 0; j < FILES_IN_FOLDER; j++) {
        Name name = Name.of("file-" + j);
        sink.inode(inode(++node, Statx.REGULAR, new Location.Named(directory, name)));
      }
    }
    sink.end();
    return state.toByteArray();
  }

  private static SavedInode inode(long node, int type, Location location) {
    // Of the same file system as the root, whichever that is, so that nobody looks where it is.
    var identity = new Identity(1, 1, node == Inodes.ROOT_ID ? 0 : node, node, 0);
    return new SavedInode(node, 1, type, identity, node, false, Name.of(""), location);
  }
}
