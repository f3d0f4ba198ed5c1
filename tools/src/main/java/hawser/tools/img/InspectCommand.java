package hawser.tools.img;

import hawser.base.BlockFault;
import hawser.base.Size;
import hawser.base.json.Json;
import hawser.base.json.QemuJson;
import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.block.inspect.Finding;
import hawser.block.inspect.Inspection;
import hawser.block.inspect.Inspector;
import hawser.block.inspect.Reference;
import hawser.tools.Command;
import hawser.tools.Option;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;

/**
 * {@code inspect}: judges an image from a stranger without opening anything that it names. Not one
 * of qemu-img's commands. Exit code 0: nothing found; 1: something odd; 2: do not open it; 3: the
 * file could not be read.
 */
final class InspectCommand implements ImgCommand {
  static final Command TABLE =
      new Command(
          "inspect",
          "Judge an image from a stranger: 0 clean, 1 warnings, 2 do not open, 3 unreadable",
          "FILENAME",
          List.of(
              CommonOptions.HELP,
              CommonOptions.QUIET,
              Option.value("max-size", "SIZE", "do not open a disk that claims to be larger"),
              CommonOptions.FORCE_SHARE,
              CommonOptions.OUTPUT));

  private static final int UNREADABLE = 3;

  private long maxSize = Long.MAX_VALUE;

  @Override
  public Command table() {
    return TABLE;
  }

  @Override
  public int run(ImgLine line) throws BlockFault {
    while (line.next()) {
      if (!line.key().equals("max-size")) {
        throw line.unhandled();
      }
      maxSize = Numbers.size("maximum size", line.value());
    }
    if (line.helped()) {
      return 0;
    }
    String name = line.operand("Expecting one image file name");
    Inspection inspection;
    OpenMode mode = OpenMode.READ.withForceShare(line.forceShare()).withQuick(true);
    try (BlockNode file = new Opener(OpenPolicy.NOTHING).open("file:" + name, "raw", mode)) {
      inspection = judged(Inspector.inspect(file));
    } catch (BlockFault fault) {
      line.io().error("qemu-img: " + fault.getMessage());
      return UNREADABLE;
    }
    if (line.json()) {
      line.say(QemuJson.pretty(json(name, inspection)));
    } else {
      human(line, name, inspection);
    }
    return switch (inspection.verdict()) {
      case CLEAN -> 0;
      case WARNINGS -> 1;
      case REFUSE -> 2;
    };
  }

  /** Adds the caller's own limit. */
  private Inspection judged(Inspection found) {
    if (found.virtualBytes().orElse(0) <= maxSize) {
      return found;
    }
    var findings = new ArrayList<>(found.findings());
    findings.add(
        new Finding(
            Finding.Severity.REFUSE,
            "size",
            found.virtualBytes().getAsLong() + " bytes claimed, at most " + maxSize + " allowed"));
    return new Inspection(
        found.format(), found.fileBytes(), found.virtualBytes(), found.references(), findings);
  }

  private static void human(ImgLine line, String name, Inspection inspection) {
    line.say("image: " + name);
    line.say("file format: " + inspection.format());
    line.say("file length: " + bytes(inspection.fileBytes()));
    if (inspection.virtualBytes().isPresent()) {
      line.say("virtual size: " + bytes(inspection.virtualBytes().getAsLong()));
    }
    for (Reference reference : inspection.references()) {
      line.say("refers to " + reference.kind() + ": " + reference.name());
    }
    for (Finding finding : inspection.findings()) {
      line.say(lower(finding.severity()) + ": " + finding.field() + ": " + finding.text());
    }
    line.say("verdict: " + lower(inspection.verdict()));
  }

  private static String bytes(long count) {
    return Size.human(count) + " (" + count + " bytes)";
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  private static Json json(String name, Inspection inspection) {
    var members = new LinkedHashMap<String, Json>();
    members.put("filename", Json.of(name));
    members.put("format", Json.of(inspection.format()));
    members.put("file-length", Json.of(inspection.fileBytes()));
    if (inspection.virtualBytes().isPresent()) {
      members.put("virtual-size", Json.of(inspection.virtualBytes().getAsLong()));
    }
    var references = new ArrayList<Json>();
    for (Reference reference : inspection.references()) {
      var one = new LinkedHashMap<String, Json>();
      one.put("kind", Json.of(reference.kind()));
      one.put("name", Json.of(reference.name()));
      if (!reference.format().isEmpty()) {
        one.put("format", Json.of(reference.format()));
      }
      references.add(new Json.Obj(one));
    }
    members.put("references", new Json.Arr(references));
    var findings = new ArrayList<Json>();
    for (Finding finding : inspection.findings()) {
      var one = new LinkedHashMap<String, Json>();
      one.put("severity", Json.of(lower(finding.severity())));
      one.put("field", Json.of(finding.field()));
      one.put("text", Json.of(finding.text()));
      findings.add(new Json.Obj(one));
    }
    members.put("findings", new Json.Arr(findings));
    members.put("verdict", Json.of(lower(inspection.verdict())));
    return new Json.Obj(members);
  }
}
