package hawser.tools.img;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.UsageFault;
import hawser.base.json.Json;
import hawser.base.json.QemuJson;
import hawser.block.BlockNode;
import hawser.block.CheckReport;
import hawser.block.OpenMode;
import hawser.block.Repair;
import hawser.tools.Command;
import hawser.tools.Option;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code check}: says whether an image agrees with itself. */
final class CheckCommand implements ImgCommand {
  static final Command TABLE =
      new Command(
          "check",
          "Say whether an image agrees with itself",
          "FILENAME",
          List.of(
              CommonOptions.HELP,
              CommonOptions.QUIET,
              CommonOptions.FORMAT,
              CommonOptions.IMAGE_OPTS,
              Option.value('T', "cache", "MODE", "the host's caching of the image"),
              CommonOptions.FORCE_SHARE,
              CommonOptions.OUTPUT,
              Option.value('r', "repair", "leaks|all", "put right what was found"),
              CommonOptions.OBJECT));

  private static final int INCOMPLETE = 1;
  private static final int CORRUPT = 2;
  private static final int LEAKING = 3;
  private static final int UNSUPPORTED = 63;

  private Repair repair = Repair.NOTHING;
  private String cache = "writeback";

  @Override
  public Command table() {
    return TABLE;
  }

  @Override
  public int run(ImgLine line) throws BlockFault {
    while (line.next()) {
      switch (line.key()) {
        case "r" -> repair = repair(line);
        case "T" -> cache = line.value();
        default -> throw line.unhandled();
      }
    }
    if (line.helped()) {
      return 0;
    }
    String name = line.operand("Expecting one image file name");
    OpenMode mode = repair == Repair.NOTHING ? OpenMode.READ : OpenMode.WRITE;
    // A read-only check is short: no native call. With a cache mode of its own it makes them.
    mode =
        mode.withCache(Images.cache(cache, "source cache", INCOMPLETE))
            .withQuick(repair == Repair.NOTHING && cache.equals("writeback"))
            .withChecking(true);
    try (BlockNode node = Images.open(line, name, mode)) {
      return tell(line, name, node.driver(), check(line, node));
    }
  }

  private static Repair repair(ImgLine line) {
    return switch (line.value()) {
      case "leaks" -> Repair.LEAKS;
      case "all" -> Repair.ALL;
      default ->
          throw line.usage("--repair (-r) expects 'leaks' or 'all' not '" + line.value() + "'");
    };
  }

  private CheckReport check(ImgLine line, BlockNode node) throws BlockFault {
    try {
      return node.check(repair, line.io()::error);
    } catch (BlockFault fault) {
      if (fault.errno() == Errno.EOPNOTSUPP) {
        throw new UsageFault(fault.getMessage(), UNSUPPORTED);
      }
      if (fault.errno() == Errno.ENOSYS) {
        throw fault;
      }
      throw new BlockFault(fault.errno(), "Check failed: " + fault.errno().text(), fault);
    }
  }

  private static int tell(ImgLine line, String name, String format, CheckReport report) {
    if (line.json()) {
      line.say(QemuJson.pretty(json(name, format, report)));
    } else {
      human(line, report);
    }
    if (report.checkErrors() > 0) {
      throw new UsageFault("Check failed", INCOMPLETE);
    }
    return report.corruptions() > 0 ? CORRUPT : report.leaks() > 0 ? LEAKING : 0;
  }

  private static void human(ImgLine line, CheckReport report) {
    if (report.corruptions() == 0 && report.leaks() == 0 && report.checkErrors() == 0) {
      line.say("No errors were found on the image.");
    }
    if (report.corruptions() > 0) {
      line.say("\n" + report.corruptions() + " errors were found on the image.");
      line.say("Data may be corrupted, or further writes to the image may corrupt it.");
    }
    if (report.leaks() > 0) {
      line.say("\n" + report.leaks() + " leaked clusters were found on the image.");
      line.say("This means waste of disk space, but no harm to data.");
    }
    if (report.checkErrors() > 0) {
      line.say("\n" + report.checkErrors() + " internal errors have occurred during the check.");
    }
    long allocated = report.allocatedClusters();
    if (report.totalClusters() != 0 && allocated != 0) {
      line.say(
          allocated
              + "/"
              + report.totalClusters()
              + " = "
              + percent(allocated, report.totalClusters())
              + " allocated, "
              + percent(report.fragmentedClusters(), allocated)
              + " fragmented, "
              + percent(report.compressedClusters(), allocated)
              + " compressed clusters");
    }
    if (report.imageEndOffset() != 0) {
      line.say("Image end offset: " + report.imageEndOffset());
    }
  }

  private static String percent(long part, long whole) {
    return Numbers.twoDecimals(part * 100.0 / whole) + "%";
  }

  private static Json json(String name, String format, CheckReport report) {
    var members = new LinkedHashMap<String, Json>();
    members.put("filename", Json.of(name));
    members.put("format", Json.of(format));
    members.put("check-errors", Json.of(report.checkErrors()));
    putIfAny(members, "image-end-offset", report.imageEndOffset());
    putIfAny(members, "corruptions", report.corruptions());
    putIfAny(members, "leaks", report.leaks());
    putIfAny(members, "corruptions-fixed", report.corruptionsFixed());
    putIfAny(members, "leaks-fixed", report.leaksFixed());
    putIfAny(members, "total-clusters", report.totalClusters());
    putIfAny(members, "allocated-clusters", report.allocatedClusters());
    putIfAny(members, "fragmented-clusters", report.fragmentedClusters());
    putIfAny(members, "compressed-clusters", report.compressedClusters());
    return new Json.Obj(members);
  }

  private static void putIfAny(Map<String, Json> members, String key, long count) {
    if (count != 0) {
      members.put(key, Json.of(count));
    }
  }
}
