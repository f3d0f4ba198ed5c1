package hawser.tools.img;

import hawser.base.BlockFault;
import hawser.base.Size;
import hawser.base.json.Json;
import hawser.base.json.QemuJson;
import hawser.block.BlockNode;
import hawser.block.NodeInfo;
import hawser.block.SnapshotInfo;

/** What {@code info} says of images to people. Scripts read it too: every blank counts. */
final class HumanInfo implements InfoCommand.Sink {
  private final StringBuilder out = new StringBuilder();

  String text() {
    return out.toString();
  }

  @Override
  public void add(BlockNode node, NodeInfo info) throws BlockFault {
    if (!out.isEmpty()) {
      out.append('\n');
    }
    graph(node, info, 0, "/");
  }

  /** A node without children is what holds the bytes: its fields have other names. */
  private void graph(BlockNode node, NodeInfo info, int level, String path) throws BlockFault {
    boolean protocol = level > 0 && node.children().isEmpty();
    field(level, protocol ? "filename" : "image", node.name());
    field(level, protocol ? "protocol type" : "file format", node.driver());
    long length = InfoCommand.length(node);
    field(
        level,
        protocol ? "file length" : "virtual size",
        Size.human(length) + " (" + length + " bytes)");
    field(
        level,
        "disk size",
        info.allocated().isPresent() ? Size.human(info.allocated().getAsLong()) : "unavailable");
    details(info, level);
    for (BlockNode child : node.children()) {
      String name = node.childName(child);
      indent(level).append("Child node '").append(path).append(name).append("':\n");
      graph(child, child.info(), level + 1, path + name + "/");
    }
  }

  private void details(NodeInfo info, int level) {
    if (info.encrypted()) {
      field(level, "encrypted", "yes");
    }
    if (info.clusterSize().isPresent()) {
      field(level, "cluster_size", Long.toString(info.clusterSize().getAsLong()));
    }
    if (info.dirty().isPresent() && info.dirty().get()) {
      field(level, "cleanly shut down", "no");
    }
    backing(info, level);
    if (!info.snapshots().isEmpty()) {
      indent(level).append("Snapshot list:\n");
      indent(level).append(SnapshotTable.HEADING).append('\n');
      for (SnapshotInfo snapshot : info.snapshots()) {
        indent(level).append(SnapshotTable.row(snapshot)).append('\n');
      }
    }
    if (info.specific() != null
        && info.specific().members().get("data") instanceof Json.Obj data
        && !data.members().isEmpty()) {
      indent(level).append("Format specific information:\n");
      members(data, level + 1);
    }
  }

  private void backing(NodeInfo info, int level) {
    NodeInfo.Backing backing = info.backing();
    if (backing == null) {
      return;
    }
    String more =
        backing.resolved() == null
            ? " (cannot determine actual path)"
            : backing.resolved().equals(backing.name())
                ? ""
                : " (actual path: " + backing.resolved() + ")";
    field(level, "backing file", backing.name() + more);
    if (backing.format() != null) {
      field(level, "backing file format", backing.format());
    }
  }

  private void members(Json.Obj object, int level) {
    for (var member : QemuJson.inQemuOrder(object.members())) {
      indent(level).append(member.getKey().replace('-', ' ')).append(':');
      value(member.getValue(), level);
    }
  }

  private void items(Json.Arr array, int level) {
    int index = 0;
    for (Json item : array.items()) {
      indent(level).append('[').append(index).append("]:");
      value(item, level);
      index++;
    }
  }

  /** What follows a colon: a plain value on the same line, others below, one level deeper. */
  private void value(Json value, int level) {
    if (value instanceof Json.Obj object) {
      out.append('\n');
      members(object, level + 1);
    } else if (value instanceof Json.Arr array) {
      out.append('\n');
      items(array, level + 1);
    } else if (value instanceof Json.Str text) {
      out.append(' ').append(text.value()).append('\n');
    } else {
      out.append(' ').append(QemuJson.compact(value)).append('\n');
    }
  }

  private void field(int level, String name, String value) {
    indent(level).append(name).append(": ").append(value).append('\n');
  }

  private StringBuilder indent(int level) {
    return out.repeat("    ", level);
  }
}
