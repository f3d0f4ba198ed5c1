package hawser.tools.img;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.json.Json;
import hawser.block.BlockNode;
import hawser.block.KeyValues;
import hawser.block.OpenMode;
import hawser.block.Opener;
import hawser.block.Options;
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
  static BlockNode open(
      Opener opener,
      String name,
      @Nullable String format,
      boolean imageOpts,
      OpenMode mode,
      @Nullable String snapshot)
      throws BlockFault {
    if (snapshot == null) {
      return Images.open(opener, name, format, imageOpts, new Options(), mode);
    }
    var extra = new Options();
    try (BlockNode now = Images.open(opener, name, format, imageOpts, new Options(), mode)) {
      if (now.info().clusterSize().isEmpty()) {
        throw new BlockFault(
            Errno.EOPNOTSUPP,
            "Failed to load snapshot: Block format '"
                + now.driver()
                + "' used by device '' does not support temporarily loading internal snapshots");
      }
      String id = find(now.info().snapshots(), snapshot).id();
      extra.putDotted(ID, Json.of(id)).put("driver", Json.of(now.driver()));
    }
    return Images.open(opener, name, null, imageOpts, extra, mode);
  }

  /** By {@code snapshot.id=,snapshot.name=}, or by a text that is an id or a name. */
  private static SnapshotInfo find(List<SnapshotInfo> all, String wanted) throws BlockFault {
    boolean exact = wanted.startsWith("snapshot.");
    Map<String, String> pairs = exact ? KeyValues.parse(wanted) : Map.of();
    for (String key : pairs.keySet()) {
      if (!key.equals(ID) && !key.equals(NAME)) {
        throw new BlockFault(
            Errno.EINVAL,
            "Invalid parameter '%s'\nqemu-img: Failed in parsing snapshot param '%s'"
                .formatted(key, wanted));
      }
    }
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
    throw new BlockFault(Errno.ENOENT, "Failed to load snapshot: Can't find snapshot");
  }
}
