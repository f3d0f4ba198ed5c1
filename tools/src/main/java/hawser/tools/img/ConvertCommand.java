package hawser.tools.img;

import hawser.base.BlockFault;
import hawser.base.UsageFault;
import hawser.block.OpenMode;
import hawser.tools.Command;
import hawser.tools.Option;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code convert}: copies images into a new one, or over an existing one. */
final class ConvertCommand implements ImgCommand {
  static final Command TABLE =
      new Command(
          "convert",
          "Copy an image, or several one after the other, into another",
          "FILENAME... TARGET",
          List.of(
              CommonOptions.HELP,
              CommonOptions.QUIET,
              CommonOptions.PROGRESS,
              Option.value('f', "source-format", "FMT", "the sources' format"),
              Option.flag("source-image-opts", "source names are option lists"),
              CommonOptions.IMAGE_OPTS,
              Option.value('l', "source-snapshot", "SNAPSHOT", "copy this snapshot of the source"),
              Option.value('T', "source-cache", "MODE", "the host's caching of the sources"),
              Option.value('O', "target-format", "FMT", "the target's format; raw unless said"),
              Option.flag("target-image-opts", "the target's name is an option list"),
              Option.value('o', "target-options", "OPTIONS", "the target's options; -o help"),
              Option.flag('c', "compress", "compress the target's clusters (qcow2)"),
              Option.value('t', "target-cache", "MODE", "the host's caching; unsafe unless said"),
              Option.value('B', "backing", "FILE", "the target's backing file"),
              Option.value('F', "backing-format", "FMT", "the backing file's format"),
              Option.flag('n', "no-create", "write into an existing target"),
              Option.flag("target-is-zero", "that target reads as zeroes"),
              Option.value('S', "sparse-size", "SIZE", "shorter runs of zeroes are written"),
              Option.flag("bitmaps", "copy the source's dirty bitmaps too"),
              Option.flag("skip-broken-bitmaps", "but not inconsistent ones"),
              CommonOptions.FORCE_SHARE,
              Option.value('r', "rate", "RATE", "write at most so many bytes a second"),
              Option.value('m', "parallel", "COUNT", "work on so many requests at once, 1 to 16"),
              Option.flag('C', "copy-range-offloading", "let the kernel copy"),
              Option.flag("salvage", "read zeroes where the source cannot be read"),
              Option.flag('W', "oob-writes", "write in any order"),
              CommonOptions.OBJECT));

  private static final int SECTOR = 512;
  private static final long SPARSE_MAX = 16 << 20;
  private static final int PARALLEL_MAX = 16;

  final OptionLists lists = new OptionLists();
  @Nullable String targetFormat;
  @Nullable String backing;
  @Nullable String backingFormat;
  @Nullable String snapshot;
  String sourceCache = "writeback";
  String targetCache = "unsafe";
  boolean sourceOpts;
  boolean targetOpts;
  boolean compress;
  boolean noCreate;
  boolean targetIsZero;
  boolean bitmaps;
  boolean skipBroken;
  boolean offload;
  boolean salvage;
  boolean anyOrder;
  long sparse = 4096;
  long rate;
  int parallel;
  private boolean sparseSaid;

  @Override
  public Command table() {
    return TABLE;
  }

  @Override
  public int run(ImgLine line) throws BlockFault {
    while (line.next()) {
      take(line);
    }
    if (line.helped()) {
      return 0;
    }
    refuseClashes();
    if (targetFormat == null && !targetOpts) {
      targetFormat = "raw";
    }
    List<String> names = line.operands();
    if (lists.helpWanted()) {
      if (targetFormat == null) {
        throw new UsageFault("Option help requires a format be specified");
      }
      return OptionHelp.print(line.io(), targetFormat, names.size() < 2 ? null : names.getLast());
    }
    if (names.size() < 2) {
      throw new UsageFault("Must specify image file name");
    }
    OpenMode.Cache cache = Images.cache(sourceCache, "source cache", 1);
    var progress = new ProgressLine(line, 1.0);
    try {
      new Converting(this, line, names.subList(0, names.size() - 1), names.getLast())
          .run(cache, progress);
    } finally {
      progress.end();
    }
    return 0;
  }

  private void take(ImgLine line) {
    switch (line.key()) {
      case "source-image-opts" -> sourceOpts = true;
      case "l" -> snapshot = line.value();
      case "T" -> sourceCache = line.value();
      case "O" -> targetFormat = line.value();
      case "target-image-opts" -> targetOpts = true;
      case "o" -> lists.add(line.value());
      case "c" -> compress = true;
      case "t" -> targetCache = line.value();
      case "B" -> backing = line.value();
      case "F" -> backingFormat = line.value();
      case "n" -> noCreate = true;
      case "target-is-zero" -> targetIsZero = true;
      case "S" -> sparse(line.value());
      case "bitmaps" -> bitmaps = true;
      case "skip-broken-bitmaps" -> skipBroken = true;
      case "r" -> rate = Numbers.size("rate limit", line.value());
      case "m" ->
          parallel = (int) Numbers.size("number of coroutines", line.value(), 1, PARALLEL_MAX);
      case "C" -> offload = true;
      case "salvage" -> salvage = true;
      case "W" -> anyOrder = true;
      default -> throw line.unhandled();
    }
  }

  private void sparse(String value) {
    sparse = Numbers.size("buffer size for sparse output", value);
    sparseSaid = true;
    if (sparse % SECTOR != 0 || sparse > SPARSE_MAX) {
      throw new UsageFault(
          "Invalid buffer size for sparse output specified. Valid sizes are multiples of "
              + SECTOR
              + " up to "
              + SPARSE_MAX
              + ". Select 0 to disable sparse detection (fully allocates output).");
    }
  }

  private void refuseClashes() {
    refuse(skipBroken && !bitmaps, "Use of --skip-broken-bitmaps requires --bitmaps");
    refuse(compress && offload, "Cannot enable copy offloading when -c is used");
    refuse(sparseSaid && offload, "Cannot enable copy offloading when -S is used");
    refuse(offload && salvage, "Cannot use copy offloading in salvaging mode");
    refuse(targetOpts && !noCreate, "--target-image-opts requires use of -n flag");
    refuse(noCreate && !lists.isEmpty(), "-o has no effect when skipping image creation");
    refuse(targetIsZero && !noCreate, "--target-is-zero requires use of -n flag");
  }

  static void refuse(boolean clash, String text) {
    if (clash) {
      throw new UsageFault(text);
    }
  }
}
