package hawser.tools.img;

import hawser.base.BlockFault;
import hawser.base.json.Json;
import hawser.block.BlockNode;
import hawser.block.NodeInfo;
import hawser.block.SnapshotInfo;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What {@code info --output=json} says of images: QAPI's BlockGraphInfo. */
record JsonInfo(List<Json> images) implements InfoCommand.Sink {
  @Override
  public void add(BlockNode node, NodeInfo info) throws BlockFault {
    images.add(graph(node, info));
  }

  private static Json graph(BlockNode node, NodeInfo info) throws BlockFault {
    var members = new LinkedHashMap<String, Json>();
    members.put("virtual-size", Json.of(InfoCommand.length(node)));
    members.put("filename", Json.of(node.name()));
    members.put("format", Json.of(node.driver()));
    if (info.allocated().isPresent()) {
      members.put("actual-size", Json.of(info.allocated().getAsLong()));
    }
    if (info.clusterSize().isPresent()) {
      members.put("cluster-size", Json.of(info.clusterSize().getAsLong()));
    }
    if (info.encrypted()) {
      members.put("encrypted", Json.of(true));
    }
    if (info.dirty().isPresent()) {
      members.put("dirty-flag", Json.of(info.dirty().get()));
    }
    if (info.specific() != null) {
      members.put("format-specific", info.specific());
    }
    addBacking(info, members);
    if (!info.snapshots().isEmpty()) {
      members.put("snapshots", snapshots(info.snapshots()));
    }
    members.put("children", children(node));
    return new Json.Obj(members);
  }

  private static void addBacking(NodeInfo info, Map<String, Json> members) {
    NodeInfo.Backing backing = info.backing();
    if (backing == null) {
      return;
    }
    members.put("backing-filename", Json.of(backing.name()));
    if (backing.resolved() != null) {
      members.put("full-backing-filename", Json.of(backing.resolved()));
    }
    if (backing.format() != null) {
      members.put("backing-filename-format", Json.of(backing.format()));
    }
  }

  private static Json children(BlockNode node) throws BlockFault {
    var children = new ArrayList<Json>();
    for (BlockNode child : node.children()) {
      var members = new LinkedHashMap<String, Json>();
      members.put("name", Json.of(node.childName(child)));
      members.put("info", graph(child, child.info()));
      children.add(new Json.Obj(members));
    }
    return new Json.Arr(children);
  }

  private static Json snapshots(List<SnapshotInfo> snapshots) {
    var list = new ArrayList<Json>();
    for (SnapshotInfo snapshot : snapshots) {
      var members = new LinkedHashMap<String, Json>();
      members.put("id", Json.of(snapshot.id()));
      members.put("name", Json.of(snapshot.name()));
      members.put("vm-state-size", Json.of(snapshot.vmStateBytes()));
      members.put("date-sec", Json.of(snapshot.seconds()));
      members.put("date-nsec", Json.of(snapshot.nanoseconds()));
      members.put("vm-clock-sec", Json.of(snapshot.vmClockNanos() / 1_000_000_000));
      members.put("vm-clock-nsec", Json.of(snapshot.vmClockNanos() % 1_000_000_000));
      if (snapshot.icount() != -1) {
        members.put("icount", Json.of(snapshot.icount()));
      }
      list.add(new Json.Obj(members));
    }
    return new Json.Arr(list);
  }
}
