package hawser.tools.img;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.base.json.Json;
import hawser.base.json.QemuJson;
import hawser.block.BlockNode;
import hawser.block.NodeInfo;
import hawser.block.OpenMode;
import hawser.block.Opener;
import hawser.tools.Command;
import hawser.tools.Option;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code info}: says what an image is. */
final class InfoCommand implements ImgCommand {
  static final Command TABLE =
      new Command(
          "info",
          "Say what an image is",
          "FILENAME",
          List.of(
              CommonOptions.HELP,
              CommonOptions.FORMAT,
              CommonOptions.IMAGE_OPTS,
              Option.flag('b', "backing-chain", "go on with the backing files"),
              CommonOptions.FORCE_SHARE,
              CommonOptions.OBJECT,
              CommonOptions.OUTPUT));

  private static final int SECTOR = 512;

  private boolean chain;

  @Override
  public Command table() {
    return TABLE;
  }

  @Override
  public int run(ImgLine line) throws BlockFault {
    while (line.next()) {
      if (!line.key().equals("b")) {
        throw line.unhandled();
      }
      chain = true;
    }
    if (line.helped()) {
      return 0;
    }
    String name = line.operand("Expecting one image file name");
    if (line.json()) {
      var all = new ArrayList<Json>();
      collect(line, name, new JsonInfo(all));
      line.io().line(QemuJson.pretty(chain ? new Json.Arr(all) : all.getFirst()));
    } else {
      var human = new HumanInfo();
      collect(line, name, human);
      line.io().print(human.text());
    }
    return 0;
  }

  /** What becomes of one image of the chain. */
  interface Sink {
    /** Takes the image's top node, which is closed afterwards. */
    void add(BlockNode node, NodeInfo info) throws BlockFault;
  }

  /** Goes down the chain by name, opening one image at a time, so that a loop is seen. */
  private void collect(ImgLine line, String first, Sink sink) throws BlockFault {
    OpenMode mode =
        OpenMode.READ.withBacking(false).withQuick(true).withForceShare(line.forceShare());
    Opener opener = Images.opener(line);
    var seen = new HashSet<String>();
    @Nullable String name = first;
    @Nullable String format = line.format();
    boolean imageOpts = line.imageOpts();
    while (name != null) {
      if (!seen.add(name)) {
        throw new BlockFault(Errno.ELOOP, "Backing file '" + name + "' creates an infinite loop.");
      }
      try (BlockNode node = Images.open(opener, name, format, imageOpts, mode)) {
        NodeInfo info = node.info();
        sink.add(node, info);
        NodeInfo.@Nullable Backing backing = chain ? info.backing() : null;
        name = backing == null ? null : resolved(backing);
        format = backing == null ? null : backing.format();
      }
      imageOpts = false;
    }
  }

  /** A node's length as QEMU counts it, in whole sectors. */
  static long length(BlockNode node) throws BlockFault {
    return Ranges.alignUp(node.length(), SECTOR);
  }

  private static String resolved(NodeInfo.Backing backing) throws BlockFault {
    if (backing.resolved() == null) {
      throw new BlockFault(
          Errno.EINVAL,
          "Could not determine absolute backing filename, but backing filename '"
              + backing.name()
              + "' present");
    }
    return backing.resolved();
  }
}
