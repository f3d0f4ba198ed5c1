package hawser.tools.io;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.json.Json;
import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.Opener;
import hawser.block.Options;
import hawser.block.filter.CopyOnReadNode;
import org.jspecify.annotations.Nullable;

/**
 * How a disk is to be opened.
 *
 * @param name a file name, or null when the options say everything
 * @param options more options, or those of the disk
 * @param mode how
 * @param snapshot whether writes go to a file that is thrown away
 * @param copyOnRead whether what is read from the backing disk is kept
 * @param writethrough whether every write is durable when it is done
 */
record OpenRequest(
    @Nullable String name,
    Json.Obj options,
    OpenMode mode,
    boolean snapshot,
    boolean copyOnRead,
    boolean writethrough) {

  OpenRequest with(Json.Obj newOptions, OpenMode newMode, boolean newWritethrough) {
    return new OpenRequest(name, newOptions, newMode, snapshot, copyOnRead, newWritethrough);
  }

  /** Opens it. */
  BlockNode open(Opener opener) throws BlockFault {
    OpenMode below = snapshot ? mode.withWritable(false) : mode;
    BlockNode node =
        name == null
            ? opener.open(new Options(options), below)
            : opener.open(name, null, new Options(options), below);
    node = snapshot ? SnapshotNode.over(node) : node;
    return copyOnRead ? copying(node) : node;
  }

  private static BlockNode copying(BlockNode node) throws BlockFault {
    if (node.readOnly()) {
      node.close();
      throw new BlockFault(Errno.EACCES, "Can't use copy-on-read on read-only device");
    }
    return new CopyOnReadNode(node);
  }
}
