package hawser.tools.img;

import hawser.base.BlockFault;
import hawser.base.Size;
import hawser.base.UsageFault;
import hawser.base.json.Json;
import hawser.base.json.QemuJson;
import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.block.Options;
import hawser.block.inspect.Finding;
import hawser.block.inspect.Inspection;
import hawser.tools.Command;
import hawser.tools.Option;
import java.util.LinkedHashMap;
import java.util.List;

/**
 * {@code inspect}: judges an image from a stranger. Exit code 0 clean, 1 suspicious, 2 refuse, 3 it
 * could not be read.
 */
final class InspectCommand implements ImgCommand {
  static final Command TABLE =
      new Command(
          "inspect",
          "Judge an image from a stranger: 0 clean, 1 suspicious, 2 refuse, 3 unreadable",
          "FILENAME",
          List.of(
              CommonOptions.HELP,
              CommonOptions.QUIET,
              Option.value("max-size", "SIZE", "refuse a disk that claims to be larger"),
              CommonOptions.OUTPUT));

  private static final int UNREADABLE = 3;

  private long maxSize = Long.MAX_VALUE;

  @Override
  public Command table() {
    return TABLE;
  }

  @Override
  public int run(ImgLine line) {
    while (line.next()) {
      if (!line.key().equals("max-size")) {
        throw line.unhandled();
      }
      maxSize = Numbers.size("maximum size", line.value());
    }
    if (line.helped()) {
      return 0;
    }
    List<String> operands = line.operands();
    if (operands.size() != 1) {
      throw line.usage("Expecting one image file name", UNREADABLE);
    }
    String name = operands.getFirst();
    Inspection inspection = inspect(name).withLimit(maxSize);
    if (line.json()) {
      var members = new LinkedHashMap<String, Json>();
      members.put("filename", Json.of(name));
      members.putAll(inspection.toJson().members());
      line.say(QemuJson.pretty(new Json.Obj(members)));
    } else {
      human(line, name, inspection);
    }
    return inspection.verdict().exitCode();
  }

  /** The name is a path, whatever it looks like: nothing in it may choose a driver. */
  private static Inspection inspect(String name) {
    var file = new Options().put("driver", Json.of("file")).put("filename", Json.of(name));
    OpenMode mode = OpenMode.READ.withQuick(true).withForceShare(true);
    try (BlockNode node = new Opener(OpenPolicy.NOTHING).open(file, mode)) {
      return Inspection.of(node);
    } catch (BlockFault fault) {
      throw new UsageFault("Could not inspect '" + name + "': " + fault.getMessage(), UNREADABLE);
    }
  }

  private static void human(ImgLine line, String name, Inspection inspection) {
    line.say("image: " + printable(name));
    line.say("format: " + inspection.format());
    line.say("file size: " + bytes(inspection.fileBytes()));
    if (inspection.virtualBytes() >= 0) {
      line.say("virtual size: " + bytes(inspection.virtualBytes()));
    }
    inspection.facts().forEach((key, value) -> line.say(key + ": " + QemuJson.compact(value)));
    for (Finding finding : inspection.findings()) {
      line.say(finding.weight() + ": " + finding.code() + ": " + printable(finding.text()));
    }
    line.say("verdict: " + inspection.verdict());
  }

  private static String bytes(long count) {
    return Size.human(count) + " (" + count + " bytes)";
  }

  /** A stranger's text must not steer the terminal: what is not plain is shown as its number. */
  private static String printable(String text) {
    var out = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              if (c >= 0x20 && c < 0x7f) {
                out.append((char) c);
              } else {
                out.append("\\u{").append(Integer.toHexString(c)).append('}');
              }
            });
    return out.toString();
  }
}
