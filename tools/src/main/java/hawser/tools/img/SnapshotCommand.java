package hawser.tools.img;

import hawser.base.BlockFault;
import hawser.base.UsageFault;
import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.SnapshotInfo;
import hawser.tools.Command;
import hawser.tools.Option;
import java.util.List;

/** {@code snapshot}: lists internal snapshots. Making, applying and deleting them is refused. */
final class SnapshotCommand implements ImgCommand {
  static final Command TABLE =
      new Command(
          "snapshot",
          "List an image's internal snapshots",
          "FILENAME",
          List.of(
              CommonOptions.HELP,
              CommonOptions.QUIET,
              CommonOptions.FORMAT,
              CommonOptions.IMAGE_OPTS,
              CommonOptions.FORCE_SHARE,
              CommonOptions.OBJECT,
              Option.flag('l', "list", "list them; the default"),
              Option.value('c', "create", "SNAPSHOT", "not yet: refused"),
              Option.value('a', "apply", "SNAPSHOT", "not yet: refused"),
              Option.value('d', "delete", "SNAPSHOT", "not yet: refused")));

  @Override
  public Command table() {
    return TABLE;
  }

  @Override
  public int run(ImgLine line) throws BlockFault {
    String action = "";
    while (line.next()) {
      if (!action.isEmpty()) {
        throw line.usage("Cannot mix '-l', '-a', '-c', '-d'");
      }
      action = line.key();
    }
    if (line.helped()) {
      return 0;
    }
    String name = line.operand("Expecting one image file name");
    if (!action.isEmpty() && !action.equals("l")) {
      throw new UsageFault(
          "Hawser cannot change internal snapshots yet: -" + action + " is refused");
    }
    OpenMode mode = OpenMode.READ.withBacking(false).withQuick(true);
    try (BlockNode node = Images.open(line, name, mode)) {
      List<SnapshotInfo> snapshots = node.info().snapshots();
      if (!snapshots.isEmpty()) {
        line.io().line("Snapshot list:");
        line.io().line(SnapshotTable.HEADING);
      }
      for (SnapshotInfo snapshot : snapshots) {
        line.io().line(SnapshotTable.row(snapshot));
      }
    }
    return 0;
  }
}
