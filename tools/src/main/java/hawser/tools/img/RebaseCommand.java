package hawser.tools.img;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.UsageFault;
import hawser.block.BlockNode;
import hawser.block.ImageName;
import hawser.block.OpenMode;
import hawser.block.Opener;
import hawser.block.convert.Rebase;
import hawser.block.format.qcow2.BackingName;
import hawser.tools.Command;
import hawser.tools.Option;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code rebase}: changes an image's backing file, with or without keeping its content. */
final class RebaseCommand implements ImgCommand {
  static final Command TABLE =
      new Command(
          "rebase",
          "Change an image's backing file",
          "FILENAME",
          List.of(
              CommonOptions.HELP,
              CommonOptions.QUIET,
              CommonOptions.PROGRESS,
              CommonOptions.FORMAT,
              CommonOptions.IMAGE_OPTS,
              Option.value('t', "cache", "MODE", "the host's caching of the image"),
              Option.value('b', "backing", "FILE", "the new backing file; '' for none"),
              Option.value('F', "backing-format", "FMT", "its format"),
              Option.value('T', "backing-cache", "MODE", "the host's caching of the backing files"),
              Option.flag('u', "backing-unsafe", "only change the name, whatever is in the file"),
              Option.flag('c', "compress", "compress what is written"),
              CommonOptions.FORCE_SHARE,
              CommonOptions.OBJECT));

  private @Nullable String backing;
  private @Nullable String backingFormat;
  private String cache = "writeback";
  private String backingCache = "writeback";
  private boolean unsafe;
  private boolean compress;

  @Override
  public Command table() {
    return TABLE;
  }

  @Override
  public int run(ImgLine line) throws BlockFault {
    while (line.next()) {
      switch (line.key()) {
        case "t" -> cache = line.value();
        case "b" -> backing = line.value();
        case "F" -> backingFormat = line.value();
        case "T" -> backingCache = line.value();
        case "u" -> unsafe = true;
        case "c" -> compress = true;
        default -> throw line.unhandled();
      }
    }
    if (line.helped()) {
      return 0;
    }
    String name = line.operand("Expecting one image file name");
    if (!unsafe && backing == null) {
      throw line.usage("Must specify backing file (-b) or use unsafe mode (-u)");
    }
    if (line.imageOpts() || ImageName.isJson(name)) {
      throw new UsageFault("Hawser's rebase takes a file name and no option list yet");
    }
    OpenMode mode = OpenMode.WRITE.withCache(Images.cache(cache, "cache", 1));
    OpenMode.Cache below = Images.cache(backingCache, "source cache", 1);
    var progress = new ProgressLine(line, 2.0);
    try {
      rebase(line, name, mode, below, progress);
    } finally {
      progress.end();
    }
    return 0;
  }

  private void rebase(
      ImgLine line, String name, OpenMode mode, OpenMode.Cache below, ProgressLine progress)
      throws BlockFault {
    Opener opener = Images.opener(line);
    String driver;
    try (BlockNode overlay = Images.open(line, name, mode.withBacking(!unsafe))) {
      driver = overlay.driver();
      ConvertCommand.refuse(
          compress && !Formats.compresses(driver),
          "Compression not supported for this file format");
      ConvertCommand.refuse(
          backingFormat != null && opener.driver(backingFormat).isEmpty(),
          "Invalid format name: '" + backingFormat + "'");
      if (!unsafe) {
        keepContent(opener, overlay, name, OpenMode.READ.withCache(below), progress);
      }
    }
    changeName(line, name, driver, mode);
    progress.progress(1, 1);
  }

  private void keepContent(
      Opener opener, BlockNode overlay, String name, OpenMode mode, ProgressLine progress)
      throws BlockFault {
    int flags = compress ? BlockNode.COMPRESSED : 0;
    String wanted = backing == null ? "" : backing;
    if (wanted.isEmpty()) {
      new Rebase(overlay, null, flags).run(progress);
      return;
    }
    try (BlockNode node = openBacking(opener, name, wanted, mode)) {
      new Rebase(overlay, node, flags).run(progress);
    }
  }

  private BlockNode openBacking(Opener opener, String name, String wanted, OpenMode mode)
      throws BlockFault {
    try {
      return opener.open(ImageName.resolve(name, wanted), backingFormat, mode);
    } catch (BlockFault fault) {
      throw new BlockFault(
          fault.errno(),
          "Could not open new backing file '" + wanted + "': " + fault.getMessage(),
          fault);
    }
  }

  private void changeName(ImgLine line, String name, String driver, OpenMode mode)
      throws BlockFault {
    String wanted = backing == null ? "" : backing;
    String doing = "Could not change the backing file to '" + wanted + "': ";
    if (!driver.equals("qcow2")) {
      throw BlockFault.of(Errno.EOPNOTSUPP, doing.substring(0, doing.length() - 2));
    }
    if (!wanted.isEmpty() && backingFormat == null) {
      throw new BlockFault(Errno.EINVAL, doing + "backing format must be specified");
    }
    try (BlockNode file = Images.open(line, name, "raw", mode.forMetadata())) {
      BackingName.change(file, wanted, backingFormat);
    } catch (BlockFault fault) {
      String why =
          fault.errno() == Errno.ENOSPC ? "No space left in the file header" : fault.errno().text();
      throw new BlockFault(fault.errno(), doing + why, fault);
    }
  }
}
