package hawser.block.filter;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.BlockNode;
import hawser.block.Driver;
import hawser.block.OpenMode;
import hawser.block.Opener;
import hawser.block.Options;
import hawser.block.Permissions;

/** Opens {@code copy-on-read}. */
public final class CopyOnReadDriver implements Driver {
  /** The driver; it has no state. */
  public CopyOnReadDriver() {}

  @Override
  public String name() {
    return "copy-on-read";
  }

  @Override
  public BlockNode open(Options options, Opener opener, OpenMode mode) throws BlockFault {
    if (!mode.writable()) {
      // What is read has to be written.
      throw new BlockFault(Errno.EACCES, "Block node is read-only");
    }
    var permissions = mode.permissions();
    var more =
        new Permissions(permissions.used() | Permissions.WRITE_UNCHANGED, permissions.shared());
    return new CopyOnReadNode(opener.child(options, "file", mode.withPermissions(more)));
  }
}
