package hawser.tools.img;

import hawser.base.BlockFault;
import hawser.base.UsageFault;
import hawser.block.BlockNode;
import hawser.block.CreateOptions;
import hawser.block.Driver;
import hawser.block.OpenMode;
import hawser.block.Opener;
import hawser.tools.Command;
import hawser.tools.Option;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code dd}: copies part of an image into a new one. */
final class DdCommand implements ImgCommand {
  static final Command TABLE =
      new Command(
          "dd",
          "Copy part of an image into a new one",
          "[bs=BYTES] [count=BLOCKS] [skip=BLOCKS] if=FILE of=FILE",
          List.of(
              CommonOptions.HELP,
              CommonOptions.FORMAT,
              CommonOptions.IMAGE_OPTS,
              Option.value('O', "output-format", "FMT", "the new image's format; raw unless said"),
              CommonOptions.FORCE_SHARE,
              CommonOptions.OBJECT));

  /** The largest block that qemu-img takes, bytes. */
  private static final long BLOCK_MAX = Integer.MAX_VALUE;

  /** How much is copied in one request; the block size only sets the units of the operands. */
  private static final int REQUEST_BYTES = 1 << 20;

  private String target = "raw";
  private long blockSize = 512;
  private long count = Long.MAX_VALUE;
  private long skip;
  private @Nullable String input;
  private @Nullable String output;

  @Override
  public Command table() {
    return TABLE;
  }

  @Override
  public int run(ImgLine line) throws BlockFault {
    while (line.next()) {
      if (!line.key().equals("O")) {
        throw line.unhandled();
      }
      target = line.value();
    }
    if (line.helped()) {
      return 0;
    }
    for (String operand : line.operands()) {
      take(operand);
    }
    String from = input;
    String to = output;
    if (from == null || to == null) {
      throw new UsageFault("Must specify both input and output files");
    }
    try (BlockNode source = Images.open(line, from, OpenMode.READ)) {
      copy(line, source, from, to);
    }
    return 0;
  }

  private void take(String operand) {
    int equals = operand.indexOf('=');
    String key = equals < 0 ? operand : operand.substring(0, equals);
    String value = operand.substring(equals + 1);
    if (equals < 0) {
      throw new UsageFault("unrecognized operand " + operand);
    }
    switch (key) {
      case "bs" -> blockSize = Numbers.size("bs", value, 1, BLOCK_MAX);
      case "count" -> count = Numbers.size("count", value);
      case "skip" -> skip = Numbers.size("skip", value);
      case "if" -> input = value;
      case "of" -> output = value;
      default -> throw new UsageFault("unrecognized operand " + key);
    }
  }

  private void copy(ImgLine line, BlockNode source, String from, String to) throws BlockFault {
    long length = source.length();
    long end = count < length / blockSize + 1 ? Math.min(length, count * blockSize) : length;
    boolean beyond = skip > Long.MAX_VALUE / blockSize || skip * blockSize > end;
    long start = beyond ? end : skip * blockSize;
    Opener opener = Images.opener(line);
    if (opener.driver(target).isEmpty()) {
      throw new UsageFault("Unknown file format");
    }
    Driver driver = Formats.creatable(opener, target, to);
    CreateOptions options = Formats.options(opener, driver, to);
    options.set("size", Long.toString(end - start));
    try {
      Formats.create(opener, driver, to, options);
    } catch (BlockFault fault) {
      throw new BlockFault(
          fault.errno(), to + ": error while creating output image: " + fault.getMessage(), fault);
    }
    try (BlockNode sink = Images.open(opener, to, target, false, OpenMode.WRITE)) {
      if (beyond) {
        line.io().error("qemu-img: " + from + ": cannot skip to specified offset");
      }
      copy(source, start, end, sink);
    }
  }

  private static void copy(BlockNode source, long start, long end, BlockNode sink)
      throws BlockFault {
    try (var arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(REQUEST_BYTES, 4096);
      for (long at = start; at < end; at += REQUEST_BYTES) {
        MemorySegment piece = buffer.asSlice(0, Math.min(REQUEST_BYTES, end - at));
        read(source, piece, at);
        write(sink, piece, at - start);
      }
    }
  }

  private static void read(BlockNode source, MemorySegment into, long at) throws BlockFault {
    try {
      source.read(into, at);
    } catch (BlockFault fault) {
      throw new BlockFault(
          fault.errno(),
          "error while reading from input image file: " + fault.errno().text(),
          fault);
    }
  }

  private static void write(BlockNode sink, MemorySegment from, long at) throws BlockFault {
    try {
      sink.write(from, at, 0);
    } catch (BlockFault fault) {
      throw new BlockFault(
          fault.errno(),
          "error while writing to output image file: " + fault.errno().text(),
          fault);
    }
  }
}
