package hawser.tools.img;

import hawser.base.BlockFault;
import hawser.base.UsageFault;
import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.convert.Comparison;
import hawser.tools.Command;
import hawser.tools.Option;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code compare}: says whether two images have the same content. */
final class CompareCommand implements ImgCommand {
  static final Command TABLE =
      new Command(
          "compare",
          "Say whether two images have the same content",
          "FILENAME1 FILENAME2",
          List.of(
              CommonOptions.HELP,
              CommonOptions.QUIET,
              CommonOptions.PROGRESS,
              Option.value('f', "a-format", "FMT", "the first image's format"),
              Option.value('F', "b-format", "FMT", "the second image's format"),
              CommonOptions.IMAGE_OPTS,
              Option.flag('s', "strict", "sizes and allocation must agree too"),
              Option.value('T', "cache", "MODE", "the host's caching of both images"),
              CommonOptions.FORCE_SHARE,
              CommonOptions.OBJECT));

  private static final int DIFFERENT = 1;
  private static final int OPEN_FAILED = 2;
  private static final int STATUS_FAILED = 3;
  private static final int READ_FAILED = 4;

  private @Nullable String secondFormat;
  private String cache = "writeback";
  private boolean strict;

  @Override
  public Command table() {
    return TABLE;
  }

  @Override
  public int run(ImgLine line) throws BlockFault {
    while (line.next()) {
      switch (line.key()) {
        case "F" -> secondFormat = line.value();
        case "T" -> cache = line.value();
        case "s" -> strict = true;
        default -> throw line.unhandled();
      }
    }
    if (line.helped()) {
      return 0;
    }
    List<String> names = line.operands();
    if (names.size() != 2) {
      throw line.usage("Expecting two image file names");
    }
    var progress = new ProgressLine(line, 2.0);
    OpenMode mode = OpenMode.READ.withCache(Images.cache(cache, "source cache", OPEN_FAILED));
    try (BlockNode one = open(line, names.get(0), line.format(), mode);
        BlockNode two = open(line, names.get(1), secondFormat, mode)) {
      int threads = Math.min(8, Runtime.getRuntime().availableProcessors());
      return tell(line, names, Comparison.run(one, two, strict, threads, progress));
    } finally {
      progress.end();
    }
  }

  private static BlockNode open(ImgLine line, String name, @Nullable String format, OpenMode mode) {
    try {
      return Images.open(line, name, format, mode);
    } catch (BlockFault fault) {
      throw new UsageFault(fault.getMessage(), OPEN_FAILED);
    }
  }

  private static int tell(ImgLine line, List<String> names, Comparison.Result result) {
    return switch (result) {
      case Comparison.Result.Same(boolean lengthsDiffer) -> {
        if (lengthsDiffer) {
          line.say("Warning: Image size mismatch!");
        }
        line.say("Images are identical.");
        yield 0;
      }
      case Comparison.Result.Content(long offset, boolean pastTheShorter) -> {
        if (pastTheShorter) {
          line.say("Warning: Image size mismatch!");
        }
        yield different(line, "Content mismatch at offset " + offset + "!");
      }
      case Comparison.Result.Length() -> different(line, "Strict mode: Image size mismatch!");
      case Comparison.Result.Allocation(long offset) ->
          different(line, "Strict mode: Offset " + offset + " block status mismatch!");
      case Comparison.Result.Unreadable(int side, long offset, boolean past, BlockFault fault) -> {
        if (past) {
          line.say("Warning: Image size mismatch!");
        }
        throw new UsageFault(
            "Error while reading offset "
                + offset
                + " of "
                + names.get(side)
                + ": "
                + fault.errno().text(),
            READ_FAILED);
      }
      case Comparison.Result.Unknown(int side, BlockFault _) ->
          throw new UsageFault(
              "Sector allocation test failed for " + names.get(side), STATUS_FAILED);
      case Comparison.Result.Cancelled() -> throw new AssertionError("nobody cancels a command");
    };
  }

  private static int different(ImgLine line, String text) {
    line.say(text);
    return DIFFERENT;
  }
}
