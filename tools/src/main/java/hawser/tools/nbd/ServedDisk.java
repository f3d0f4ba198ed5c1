package hawser.tools.nbd;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.UsageFault;
import hawser.base.json.Json;
import hawser.block.BlockNode;
import hawser.block.DirtyBitmap;
import hawser.block.KeyValues;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.block.Options;
import hawser.nbd.client.NbdDriver;
import hawser.nbd.server.Export;
import hawser.tools.Terminal;
import java.util.ArrayList;
import java.util.List;

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
    OpenMode mode = line.mode;
    Options options = options();
    return opener.open(options, mode);
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
      if (line.readOnly && bitmap.recording()) {
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
