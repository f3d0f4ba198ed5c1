package hawser.fs.passthrough;

import static hawser.sys.PathCalls.AT_FDCWD;
import static hawser.sys.PathCalls.AT_SYMLINK_FOLLOW;

import hawser.fs.Name;
import hawser.sys.PathCalls;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Names in the shared folder that files get for the journey which have lost their own, though not
 * their last: the destination opens them by these and removes them.
 */
final class HiddenLinks {
  private static final String PREFIX = ".hawser-migration-";

  private final Inodes inodes;
  private final List<Name> made = new ArrayList<>();

  HiddenLinks(Inodes inodes) {
    this.inodes = inodes;
  }

  static Name name(Inode inode) {
    return Name.of(PREFIX + Long.toHexString(inode.nodeId) + "-" + inode.id.inode());
  }

  /** Whether a name is one that is only made for a journey. */
  static boolean isOne(Name name) {
    return name.isComponent() && name.startsWith(Name.of(PREFIX));
  }

  /** Gives a file a name in the shared folder; null where that cannot be done. */
  @Nullable Name link(Inode inode, Descriptor held) {
    Name name = name(inode);
    Descriptor folder = inodes.held(inodes.root());
    if (folder == null) {
      return null;
    }
    try {
      byte[] path = PathCalls.ofDescriptor(held.fd);
      PathCalls.unlinkat(folder.fd, name.bytes(), 0);
      if (PathCalls.linkat(AT_FDCWD, path, folder.fd, name.bytes(), AT_SYMLINK_FOLLOW) < 0) {
        return null;
      }
    } finally {
      folder.release();
    }
    made.add(name);
    return name;
  }

  /** Takes the names away again. */
  void remove() {
    Descriptor folder = made.isEmpty() ? null : inodes.held(inodes.root());
    if (folder != null) {
      made.forEach(name -> PathCalls.unlinkat(folder.fd, name.bytes(), 0));
      made.clear();
      folder.release();
    }
  }
}
