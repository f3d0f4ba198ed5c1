package hawser.tools.nbd;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.UsageFault;
import hawser.base.json.Json;
import hawser.block.BlockNode;
import hawser.block.DirtyBitmap;
import hawser.block.KeyValues;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.block.Options;
import hawser.block.SnapshotInfo;
import hawser.nbd.client.NbdDriver;
import hawser.nbd.server.Export;
import hawser.tools.Terminal;
import hawser.tools.io.SnapshotNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Opens the disk of a command line and says how it is to be offered. */
record ServedDisk(NbdLine line, Terminal io) {
  /** The stack of nodes; the caller closes it. */
  BlockNode open() {
    try {
      return opened();
    } catch (BlockFault e) {
      throw new UsageFault("Failed to blk_new_open '" + line.file + "': " + e.getMessage());
    }
  }

  private BlockNode opened() throws BlockFault {
    Opener opener = new Opener(OpenPolicy.ANYTHING, new NbdDriver()).warning(io::error);
    if (line.loadSnapshot != null) {
      return atSnapshot(opener, line.loadSnapshot);
    }
    if (line.snapshot) {
      BlockNode below = opener.open(options(), line.mode.withWritable(false));
      return line.readOnly ? below : SnapshotNode.over(below);
    }
    return opener.open(options(), line.mode);
  }

  /** The disk as it was at an internal snapshot. */
  private BlockNode atSnapshot(Opener opener, String wanted) throws BlockFault {
    String id;
    String driver;
    try (BlockNode now = opener.open(options(), line.mode)) {
      driver = now.driver();
      id = find(now.info().snapshots(), wanted).id();
    }
    Options options = options();
    options.put("driver", Json.of(driver)).putDotted("snapshot.id", Json.of(id));
    return opener.open(options, line.mode);
  }

  /** By {@code snapshot.id=,snapshot.name=}, or by a text that is an id or a name. */
  private static SnapshotInfo find(List<SnapshotInfo> all, String wanted) {
    Map<String, String> pairs = wanted.startsWith("snapshot.") ? KeyValues.parse(wanted) : Map.of();
    for (SnapshotInfo one : all) {
      boolean found =
          pairs.isEmpty()
              ? one.id().equals(wanted) || one.name().equals(wanted)
              : one.id().equals(pairs.getOrDefault("snapshot.id", one.id()))
                  && one.name().equals(pairs.getOrDefault("snapshot.name", one.name()));
      if (found) {
        return one;
      }
    }
    throw new UsageFault("Failed to load snapshot: Can't find snapshot");
  }

  private Options options() throws BlockFault {
    var options = new Options();
    if (line.imageOpts) {
      try {
        for (var pair : KeyValues.parse(implied(line.file)).entrySet()) {
          options.putDotted(pair.getKey(), Json.of(pair.getValue()));
        }
      } catch (IllegalArgumentException e) {
        throw new BlockFault(Errno.EINVAL, String.valueOf(e.getMessage()), e);
      }
    } else {
      options.put("file", new Options().put("filename", Json.of(line.file)).tree());
      if (line.format != null) {
        options.put("driver", Json.of(line.format));
      }
    }
    if (line.offset == 0) {
      return options;
    }
    return new Options()
        .put("driver", Json.of("raw"))
        .put("offset", Json.of(line.offset))
        .put("file", options.tree());
  }

  private static String implied(String list) {
    int end = list.indexOf(',');
    String first = end < 0 ? list : list.substring(0, end);
    return first.indexOf('=') < 0 ? "file=" + list : list;
  }

  /** The node as an export. */
  Export export(BlockNode node) throws BlockFault {
    return new Export(
        line.exportName == null ? "" : line.exportName,
        line.description == null ? "" : line.description,
        node,
        !line.readOnly,
        line.shared != 1,
        line.allocationDepth,
        bitmaps(node),
        false);
  }

  private List<DirtyBitmap> bitmaps(BlockNode node) throws BlockFault {
    var found = new ArrayList<DirtyBitmap>();
    for (String name : line.bitmaps) {
      DirtyBitmap bitmap = find(node, name);
      if (line.readOnly && !node.readOnly() && bitmap.recording()) {
        throw new UsageFault("Enabled bitmap '" + name + "' incompatible with readonly export");
      }
      if (bitmap.inconsistent()) {
        throw new UsageFault("Bitmap '" + name + "' is inconsistent and cannot be used");
      }
      found.add(bitmap);
    }
    return found;
  }

  private static DirtyBitmap find(BlockNode node, String name) throws BlockFault {
    for (BlockNode layer = node; layer != null; layer = layer.backing()) {
      for (DirtyBitmap bitmap : layer.dirtyBitmaps()) {
        if (bitmap.name().equals(name)) {
          return bitmap;
        }
      }
    }
    throw new UsageFault("Bitmap '" + name + "' is not found");
  }
}
