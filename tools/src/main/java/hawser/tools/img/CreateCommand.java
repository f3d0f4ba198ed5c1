package hawser.tools.img;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.BlockNode;
import hawser.block.CreateOption;
import hawser.block.CreateOptions;
import hawser.block.Driver;
import hawser.block.ImageName;
import hawser.block.OpenMode;
import hawser.block.Opener;
import hawser.tools.Command;
import hawser.tools.Option;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** {@code create}: makes a new image. */
final class CreateCommand implements ImgCommand {
  static final Command TABLE =
      new Command(
          "create",
          "Make a new disk image",
          "FILENAME [SIZE]",
          List.of(
              CommonOptions.HELP,
              CommonOptions.QUIET,
              Option.value('f', "format", "FMT", "the new image's format; raw unless said"),
              Option.value('o', "options", "OPTIONS", "the format's options; -o help lists them"),
              Option.value('b', "backing", "FILE", "what unwritten ranges are read from"),
              Option.value('F', "backing-format", "FMT", "the backing file's format"),
              Option.flag('u', "backing-unsafe", "do not look at the backing file"),
              CommonOptions.OBJECT));

  private @Nullable String backing;
  private @Nullable String backingFormat;
  private boolean unsafe;
  private final OptionLists lists = new OptionLists();

  @Override
  public Command table() {
    return TABLE;
  }

  @Override
  public int run(ImgLine line) throws BlockFault {
    while (line.next()) {
      switch (line.key()) {
        case "o" -> lists.add(line.value());
        case "b" -> backing = line.value();
        case "F" -> backingFormat = line.value();
        case "u" -> unsafe = true;
        default -> throw line.unhandled();
      }
    }
    if (line.helped()) {
      return 0;
    }
    List<String> operands = line.operands();
    String format = line.format() == null ? "raw" : line.format();
    if (lists.helpWanted()) {
      return OptionHelp.print(line.io(), format, operands.isEmpty() ? null : operands.getFirst());
    }
    if (operands.isEmpty()) {
      throw line.usage("Expecting image file name");
    }
    @Nullable Long size = operands.size() < 2 ? null : Numbers.size("image size", operands.get(1));
    if (operands.size() > 2) {
      throw line.usage("Unexpected argument: " + operands.get(2));
    }
    String name = operands.getFirst();
    try {
      create(line, name, format, size);
    } catch (BlockFault fault) {
      throw new BlockFault(fault.errno(), name + ": " + fault.getMessage(), fault);
    }
    return 0;
  }

  private void create(ImgLine line, String name, String format, @Nullable Long size)
      throws BlockFault {
    Opener opener = Images.opener(line);
    Driver driver = Formats.creatable(opener, format, name);
    var options = Formats.options(opener, driver, name);
    options.parse(lists.text());
    if (size != null) {
      if (options.has("size")) {
        throw new BlockFault(Errno.EINVAL, "The image size must be specified only once");
      }
      options.set("size", size.toString());
    }
    Formats.setBacking(options, format, backing, backingFormat);
    checkBacking(opener, name, options);
    if (!options.has("size")) {
      throw new BlockFault(Errno.EINVAL, "Image creation needs a size parameter");
    }
    line.say("Formatting '" + name + "', fmt=" + format + " " + options.printed());
    line.io().flush();
    Formats.create(opener, driver, name, options);
  }

  /** Looks at the backing file: it must exist, have a stated format, and may lend its size. */
  private void checkBacking(Opener opener, String name, CreateOptions options) throws BlockFault {
    Optional<String> file = options.text("backing_file");
    if (file.isEmpty()) {
      return;
    }
    if (file.get().equals(name)) {
      throw new BlockFault(
          Errno.EINVAL,
          "Error: Trying to create an image with the same filename as the backing file");
    }
    if (file.get().isEmpty()) {
      throw new BlockFault(Errno.EINVAL, "Expected backing file name, got empty string");
    }
    Optional<String> format = options.text("backing_fmt");
    if (unsafe) {
      if (format.isEmpty()) {
        throw new BlockFault(Errno.EINVAL, "Backing file specified without backing format");
      }
      return;
    }
    String resolved = ImageName.resolve(name, file.get());
    try (BlockNode node =
        opener.open(resolved, format.orElse(null), OpenMode.READ.withForceShare(true))) {
      if (format.isEmpty()) {
        throw new BlockFault(
            Errno.EINVAL,
            "Backing file specified without backing format\nDetected format of "
                + node.driver()
                + ".");
      }
      if (!options.has("size")) {
        options.set("size", Long.toString(node.length()));
      }
    } catch (BlockFault fault) {
      String hint =
          fault.getMessage().startsWith("Backing file spec")
              ? ""
              : "\nCould not open backing image.";
      throw new BlockFault(fault.errno(), fault.getMessage() + hint, fault);
    }
  }

  /** What a driver says of one option, for the table of {@code -o help}. */
  static String describe(CreateOption option) {
    var text = new StringBuilder("  ");
    text.append(option.name()).append("=<").append(option.kind().label()).append('>');
    while (text.length() < OptionHelp.COLUMN) {
      text.append(' ');
    }
    return text.append(" - ").append(option.text()).toString();
  }
}
