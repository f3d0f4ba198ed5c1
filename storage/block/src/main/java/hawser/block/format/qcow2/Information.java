package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.base.json.Json;
import hawser.block.BlockNode;
import hawser.block.ImageName;
import hawser.block.NodeInfo;
import hawser.block.SnapshotInfo;
import hawser.block.format.qcow2.layout.AutoclearFeature;
import hawser.block.format.qcow2.layout.BitmapDirectory;
import hawser.block.format.qcow2.layout.CompatibleFeature;
import hawser.block.format.qcow2.layout.IncompatibleFeature;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.block.format.qcow2.layout.Snapshot;
import hawser.block.format.qcow2.layout.StoredBitmap;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** What {@code info} says of a qcow2 image: QEMU's {@code ImageInfoSpecificQCow2} and the rest. */
final class Information {
  private Information() {}

  static NodeInfo of(Qcow2Node node, Image image) throws BlockFault {
    Qcow2Header header = image.header();
    var storage = new ArrayList<BlockNode>(node.children());
    storage.remove(node.backing());
    return new NodeInfo(
        NodeInfo.allocatedBy(storage),
        OptionalLong.of(image.geometry.clusterBytes()),
        header.cryptMethod() != 0,
        Optional.of(header.has(IncompatibleFeature.DIRTY)),
        backing(node, header),
        snapshots(image),
        specific(header, image));
  }

  private static NodeInfo.@org.jspecify.annotations.Nullable Backing backing(
      Qcow2Node node, Qcow2Header header) throws BlockFault {
    String name = header.backingName();
    if (name == null || name.isEmpty()) {
      return null;
    }
    return new NodeInfo.Backing(name, ImageName.resolve(node, name), header.backingFormat());
  }

  private static List<SnapshotInfo> snapshots(Image image) {
    var list = new ArrayList<SnapshotInfo>();
    for (Snapshot one : image.snapshots.snapshots()) {
      list.add(
          new SnapshotInfo(
              one.id(),
              one.name(),
              one.vmStateBytes(),
              one.seconds(),
              (int) one.nanoseconds(),
              one.vmClock(),
              one.icount()));
    }
    return list;
  }

  private static Json.Obj specific(Qcow2Header header, Image image) throws BlockFault {
    var data = new LinkedHashMap<String, Json>();
    boolean v3 = header.version() >= 3;
    data.put("compat", Json.of(v3 ? "1.1" : "0.10"));
    if (header.has(IncompatibleFeature.DATA_FILE)) {
      String name = header.dataFileName();
      if (name != null) {
        data.put("data-file", Json.of(name));
      }
      data.put("data-file-raw", Json.of(header.has(AutoclearFeature.RAW_DATA_FILE)));
    }
    if (v3) {
      data.put("extended-l2", Json.of(header.has(IncompatibleFeature.EXTENDED_L2)));
      data.put("lazy-refcounts", Json.of(header.has(CompatibleFeature.LAZY_REFCOUNTS)));
      data.put("corrupt", Json.of(header.has(IncompatibleFeature.CORRUPT)));
    }
    data.put("refcount-bits", Json.of(1L << header.refcountOrder()));
    List<Json> bitmaps = bitmaps(BitmapDirectory.read(image.file.node(), header));
    if (!bitmaps.isEmpty()) {
      data.put("bitmaps", new Json.Arr(bitmaps));
    }
    data.put(
        "compression-type",
        Json.of(header.compressionType() == Qcow2Header.ZSTD ? "zstd" : "zlib"));
    var all = new LinkedHashMap<String, Json>();
    all.put("type", Json.of("qcow2"));
    all.put("data", new Json.Obj(data));
    return new Json.Obj(all);
  }

  private static List<Json> bitmaps(BitmapDirectory directory) {
    var list = new ArrayList<Json>();
    for (StoredBitmap bitmap : directory.bitmaps()) {
      var flags = new ArrayList<Json>();
      if (bitmap.inUse()) {
        flags.add(Json.of("in-use"));
      }
      if (bitmap.auto()) {
        flags.add(Json.of("auto"));
      }
      var one = new LinkedHashMap<String, Json>();
      one.put("name", Json.of(bitmap.name()));
      one.put("granularity", Json.of(1L << bitmap.granularityBits()));
      one.put("flags", new Json.Arr(flags));
      list.add(new Json.Obj(one));
    }
    return list;
  }
}
