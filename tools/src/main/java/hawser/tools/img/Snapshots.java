package hawser.tools.img;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.BlockNode;
import hawser.block.KeyValues;
import hawser.block.OpenMode;
import hawser.block.SnapshotInfo;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Opens images at one of their internal snapshots, as {@code -l} names it. */
final class Snapshots {
  private static final String ID = "snapshot.id";
  private static final String NAME = "snapshot.name";

  private Snapshots() {}

  /** Opens an image as it is now, or at a snapshot. */
  static BlockNode open(ImgLine line, String name, OpenMode mode, @Nullable String snapshot)
      throws BlockFault {
    BlockNode node = Images.open(line, name, mode);
    return snapshot == null ? node : at(node, snapshot);
  }

  /** An open image at a snapshot; closed when there is none. */
  static BlockNode at(BlockNode node, String snapshot) throws BlockFault {
    try {
      if (node.info().clusterSize().isEmpty()) {
        throw new BlockFault(
            Errno.EOPNOTSUPP,
            "Block format '"
                + node.driver()
                + "' used by device '' does not support temporarily loading internal snapshots");
      }
      String id = find(node.info().snapshots(), snapshot).id();
      return node.snapshot(id);
    } catch (BlockFault fault) {
      node.close();
      throw new BlockFault(fault.errno(), "Failed to load snapshot: " + fault.getMessage(), fault);
    }
  }

  /** By {@code snapshot.id=,snapshot.name=}, or by a text that is an id or a name. */
  private static SnapshotInfo find(List<SnapshotInfo> all, String wanted) throws BlockFault {
    boolean exact = wanted.startsWith("snapshot.");
    Map<String, String> pairs = exact ? KeyValues.parse(wanted) : Map.of();
    for (SnapshotInfo one : all) {
      boolean found =
          exact
              ? one.id().equals(pairs.getOrDefault(ID, one.id()))
                  && one.name().equals(pairs.getOrDefault(NAME, one.name()))
              : one.id().equals(wanted);
      if (found) {
        return one;
      }
    }
    for (SnapshotInfo one : all) {
      if (!exact && one.name().equals(wanted)) {
        return one;
      }
    }
    throw new BlockFault(Errno.ENOENT, "Can't find snapshot");
  }
}
