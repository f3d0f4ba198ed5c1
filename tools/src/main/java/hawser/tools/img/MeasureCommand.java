package hawser.tools.img;

import hawser.base.BlockFault;
import hawser.base.UsageFault;
import hawser.base.json.Json;
import hawser.base.json.QemuJson;
import hawser.block.BlockNode;
import hawser.block.CreateOptions;
import hawser.block.Driver;
import hawser.block.Measure;
import hawser.block.OpenMode;
import hawser.block.Opener;
import hawser.tools.Command;
import hawser.tools.Option;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code measure}: says how large the file of a new image will be. */
final class MeasureCommand implements ImgCommand {
  static final Command TABLE =
      new Command(
          "measure",
          "Say how large the file of a new image will be",
          "[FILENAME]",
          List.of(
              CommonOptions.HELP,
              Option.value('O', "target-format", "FMT", "the new image's format; raw unless said"),
              Option.value('o', "options", "OPTIONS", "the new image's options"),
              Option.value('s', "size", "SIZE", "of an empty image of this size"),
              CommonOptions.FORMAT,
              CommonOptions.IMAGE_OPTS,
              Option.value('l', "snapshot", "SNAPSHOT", "of this snapshot in FILENAME"),
              CommonOptions.OUTPUT,
              CommonOptions.FORCE_SHARE,
              CommonOptions.OBJECT));

  private String target = "raw";
  private @Nullable Long size;
  private @Nullable String snapshot;
  private final OptionLists lists = new OptionLists();

  @Override
  public Command table() {
    return TABLE;
  }

  @Override
  public int run(ImgLine line) throws BlockFault {
    while (line.next()) {
      switch (line.key()) {
        case "O" -> target = line.value();
        case "o" -> lists.add(line.value());
        case "s" -> size = Numbers.size("image size", line.value());
        case "l" -> snapshot = line.value();
        default -> throw line.unhandled();
      }
    }
    if (line.helped()) {
      return 0;
    }
    List<String> operands = line.operands();
    if (operands.size() > 1) {
      throw new UsageFault("At most one filename argument is allowed.");
    }
    @Nullable String name = operands.isEmpty() ? null : operands.getFirst();
    refuseClashes(line, name);
    Opener opener = Images.opener(line);
    if (name == null) {
      print(line, measure(opener, null));
      return 0;
    }
    OpenMode mode = OpenMode.READ.withForceShare(line.forceShare());
    try (BlockNode source =
        Snapshots.open(opener, name, line.format(), line.imageOpts(), mode, snapshot)) {
      print(line, measure(opener, source));
    }
    return 0;
  }

  private void refuseClashes(ImgLine line, @Nullable String name) {
    if (name == null && (line.imageOpts() || line.format() != null || snapshot != null)) {
      throw new UsageFault("--image-opts, -f, and -l require a filename argument.");
    }
    if (name == null && size == null) {
      throw new UsageFault("Either --size N or one filename must be specified.");
    }
    if (name != null && size != null) {
      throw new UsageFault("--size N cannot be used together with a filename.");
    }
  }

  private Measure measure(Opener opener, @Nullable BlockNode source) throws BlockFault {
    Driver driver = Formats.known(opener, target);
    if (driver.createOptions().isEmpty()) {
      throw new UsageFault("Format driver '" + target + "' does not support image creation");
    }
    var options = new CreateOptions(driver.createOptions(), opener.protocol("").createOptions());
    try {
      options.parse(lists.text());
    } catch (BlockFault fault) {
      throw new UsageFault(
          fault.getMessage() + "\nqemu-img: Invalid options for file format '" + target + "'");
    }
    if (size != null) {
      options.set("size", size.toString());
    }
    return driver.measure(options, source);
  }

  private static void print(ImgLine line, Measure measure) {
    if (line.json()) {
      var members = new LinkedHashMap<String, Json>();
      members.put("required", Json.of(measure.required()));
      members.put("fully-allocated", Json.of(measure.fullyAllocated()));
      if (measure.bitmaps().isPresent()) {
        members.put("bitmaps", Json.of(measure.bitmaps().getAsLong()));
      }
      line.io().line(QemuJson.pretty(new Json.Obj(members)));
      return;
    }
    line.io().line("required size: " + measure.required());
    line.io().line("fully allocated size: " + measure.fullyAllocated());
    if (measure.bitmaps().isPresent()) {
      line.io().line("bitmaps size: " + measure.bitmaps().getAsLong());
    }
  }
}
