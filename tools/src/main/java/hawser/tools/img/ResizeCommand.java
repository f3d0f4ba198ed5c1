package hawser.tools.img;

import hawser.base.BlockFault;
import hawser.base.Size;
import hawser.base.UsageFault;
import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.Preallocation;
import hawser.tools.Command;
import hawser.tools.Option;
import hawser.tools.Terminal;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;

/** {@code resize}: changes an image's length. */
final class ResizeCommand implements ImgCommand {
  static final Command TABLE =
      new Command(
          "resize",
          "Change an image's length",
          "FILENAME [+-]SIZE",
          List.of(
              CommonOptions.HELP,
              CommonOptions.QUIET,
              CommonOptions.FORMAT,
              CommonOptions.IMAGE_OPTS,
              Option.flag("shrink", "allow what cuts data off"),
              Option.value("preallocation", "off|metadata|falloc|full", "room for the new part"),
              CommonOptions.OBJECT));

  private Preallocation preallocation = Preallocation.OFF;
  private boolean shrink;
  private final String size;

  private ResizeCommand(String size) {
    this.size = size;
  }

  /**
   * Runs it. The size is the last argument and may start with a minus sign: it is taken off before
   * options are looked for.
   */
  static int run(String[] args, Terminal io) throws BlockFault {
    boolean sized = args.length > 1;
    var command = new ResizeCommand(sized ? args[args.length - 1] : "");
    String[] rest = sized ? Arrays.copyOf(args, args.length - 1) : args;
    return command.run(new ImgLine(TABLE, rest, io));
  }

  @Override
  public Command table() {
    return TABLE;
  }

  @Override
  public int run(ImgLine line) throws BlockFault {
    while (line.next()) {
      switch (line.key()) {
        case "shrink" -> shrink = true;
        case "preallocation" -> preallocation = preallocation(line.value());
        default -> throw line.unhandled();
      }
    }
    if (line.helped()) {
      return 0;
    }
    List<String> operands = line.operands();
    if (operands.isEmpty() || size.isEmpty()) {
      throw line.usage("Expecting image file name and size");
    }
    if (operands.size() > 1) {
      throw line.usage("Extra argument(s) in command line");
    }
    char sign = size.charAt(0);
    boolean relative = sign == '+' || sign == '-';
    String digits = relative ? size.substring(1) : size;
    OptionalLong bytes = Size.parse(digits);
    boolean beyond = bytes.isEmpty() && Numbers.tooLarge(digits);
    if (bytes.isEmpty() && !beyond) {
      throw new UsageFault(
          """
          Parameter 'size' expects a non-negative number below 2^64
          Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-
          and exabytes, respectively.""");
    }
    String name = operands.getFirst();
    try (BlockNode node = Images.open(line, name, OpenMode.WRITE)) {
      long now = node.length();
      // A size of 2^63 or more wraps in the original: it is told as one that is not positive.
      long amount = beyond ? Long.MIN_VALUE : bytes.getAsLong();
      resize(line, node, now, sign == '+' ? now + amount : sign == '-' ? now - amount : amount);
    }
    line.say("Image resized.");
    return 0;
  }

  private static Preallocation preallocation(String name) {
    return Preallocation.named(name)
        .orElseThrow(() -> new UsageFault("Invalid preallocation mode '" + name + "'"));
  }

  private void resize(ImgLine line, BlockNode node, long now, long wanted) throws BlockFault {
    if (wanted <= 0) {
      throw new UsageFault("New image size must be positive");
    }
    if (wanted <= now && preallocation != Preallocation.OFF) {
      throw new UsageFault("Preallocation can only be used for growing images");
    }
    if (wanted < now && !shrink) {
      line.io().error("qemu-img: Use the --shrink option to perform a shrink operation.");
      line.io()
          .error(
              "qemu-img: warning: Shrinking an image will delete all data beyond the shrunken"
                  + " image's end. Before performing such an operation, make sure there is no"
                  + " important data there.");
      throw new UsageFault("");
    }
    node.resize(wanted, preallocation);
  }
}
