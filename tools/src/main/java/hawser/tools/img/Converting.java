package hawser.tools.img;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.UsageFault;
import hawser.block.BlockNode;
import hawser.block.CreateOptions;
import hawser.block.DirtyBitmap;
import hawser.block.Driver;
import hawser.block.OpenMode;
import hawser.block.Opener;
import hawser.block.Permissions;
import hawser.block.convert.ConcatNode;
import hawser.block.convert.Conversion;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One run of {@code convert}: opens the sources, makes or opens the target, and copies. */
final class Converting {
  /** A copy needs a source that nobody writes meanwhile. */
  private static final Permissions QUIET_SOURCE =
      new Permissions(
          Permissions.CONSISTENT_READ, Permissions.CONSISTENT_READ | Permissions.WRITE_UNCHANGED);

  private final ConvertCommand said;
  private final ImgLine line;
  private final List<String> sourceNames;
  private final String targetName;
  private final Opener opener;
  private boolean zeroWhenNew;

  Converting(ConvertCommand said, ImgLine line, List<String> sourceNames, String targetName)
      throws BlockFault {
    this.said = said;
    this.line = line;
    this.sourceNames = sourceNames;
    this.targetName = targetName;
    this.opener = Images.opener(line);
  }

  void run(OpenMode.Cache sourceCache, ProgressLine progress) throws BlockFault {
    try (BlockNode source = openSources(sourceCache)) {
      CreateOptions options = said.noCreate ? null : creation(source);
      boolean backed =
          options == null ? said.backing != null : options.text("backing_file").isPresent();
      if (said.targetIsZero && backed) {
        // Exit code 0 is qemu-img's, though nothing was copied.
        throw new UsageFault(
            "Cannot use --target-is-zero when the destination image has a backing file", 0);
      }
      ConvertCommand.refuse(
          sourceNames.size() > 1 && backed,
          "Having a backing file for the target makes no sense when concatenating multiple input"
              + " images");
      if (options != null) {
        refuseClashes(options);
      }
      refuseBitmaps(source);
      if (options != null) {
        create(options);
      }
      try (BlockNode target = openTarget()) {
        refuseTarget(source, target);
        copy(source, target, backed, progress);
        if (said.bitmaps) {
          copyBitmaps(source, target, progress);
        }
      }
    }
  }

  private BlockNode openSources(OpenMode.Cache cache) throws BlockFault {
    OpenMode mode = OpenMode.READ.withCache(cache).withPermissions(QUIET_SOURCE);
    boolean imageOpts = said.sourceOpts || line.imageOpts();
    mode = mode.withForceShare(line.forceShare());
    ConvertCommand.refuse(
        said.snapshot != null && sourceNames.size() > 1,
        "No support for concatenating multiple snapshot");
    var sources = new ArrayList<BlockNode>();
    try {
      for (String name : sourceNames) {
        sources.add(Snapshots.open(opener, name, line.format(), imageOpts, mode, said.snapshot));
      }
      return sources.size() == 1 ? sources.getFirst() : new ConcatNode(sources);
    } catch (BlockFault | UsageFault fault) {
      for (BlockNode node : sources) {
        node.close();
      }
      throw fault;
    }
  }

  private CreateOptions creation(BlockNode source) throws BlockFault {
    String format = String.valueOf(said.targetFormat);
    Driver driver = Formats.creatable(opener, format, targetName);
    CreateOptions options = Formats.options(opener, driver, targetName);
    options.parse(said.lists.text());
    options.set("size", Long.toString(source.length()));
    Formats.setBacking(options, format, said.backing, said.backingFormat);
    return options;
  }

  private void refuseClashes(CreateOptions options) {
    ConvertCommand.refuse(
        options.text("backing_file").isPresent() && options.text("backing_fmt").isEmpty(),
        "Use of backing file requires explicit backing format");
    if (!said.compress) {
      return;
    }
    ConvertCommand.refuse(
        !Formats.compresses(String.valueOf(said.targetFormat)),
        "Compression not supported for this file format");
    ConvertCommand.refuse(
        options.has("encryption") || options.has("encrypt.format"),
        "Compression and encryption not supported at the same time");
    ConvertCommand.refuse(
        !options.text("preallocation").orElse("off").equals("off"),
        "Compression and preallocation not supported at the same time");
  }

  private void refuseBitmaps(BlockNode source) throws BlockFault {
    if (!said.bitmaps) {
      return;
    }
    ConvertCommand.refuse(
        sourceNames.size() > 1, "Copying bitmaps only possible with single source");
    ConvertCommand.refuse(!source.driver().equals("qcow2"), "Source lacks bitmap support");
    String format = said.targetFormat == null ? "qcow2" : said.targetFormat;
    ConvertCommand.refuse(
        !format.equals("qcow2"), "Format driver '" + format + "' does not support bitmaps");
    for (DirtyBitmap bitmap : source.dirtyBitmaps().reversed()) {
      if (bitmap.inconsistent() && !said.skipBroken) {
        throw new UsageFault(
            "Cannot copy inconsistent bitmap '"
                + bitmap.name()
                + "'\nTry --skip-broken-bitmaps, or use 'qemu-img bitmap --remove' to delete it");
      }
    }
  }

  private void copyBitmaps(BlockNode source, BlockNode target, ProgressLine progress)
      throws BlockFault {
    for (DirtyBitmap bitmap : source.dirtyBitmaps().reversed()) {
      if (bitmap.inconsistent()) {
        progress.warn("Skipping inconsistent bitmap '" + bitmap.name() + "'");
        continue;
      }
      if (source.length() != target.length()) {
        throw new UsageFault(
            "Failed to populate bitmap %s: Bitmaps are of different sizes (destination size is %d"
                    .formatted(bitmap.name(), target.length())
                + " and source size is "
                + source.length()
                + ") and can't be merged");
      }
      try {
        target.keepBitmap(bitmap);
      } catch (BlockFault fault) {
        throw new BlockFault(
            fault.errno(),
            "Failed to create bitmap " + bitmap.name() + ": " + fault.getMessage(),
            fault);
      }
    }
  }

  private void create(CreateOptions options) throws BlockFault {
    String format = String.valueOf(said.targetFormat);
    zeroWhenNew = format.equals("qcow2") || opener.protocol(targetName).name().equals("file");
    try {
      Formats.create(opener, Formats.known(opener, format), targetName, options);
    } catch (BlockFault fault) {
      throw new BlockFault(
          fault.errno(),
          targetName + ": error while converting " + format + ": " + fault.getMessage(),
          fault);
    }
  }

  private BlockNode openTarget() throws BlockFault {
    OpenMode mode =
        OpenMode.WRITE
            .withUnmap(said.sparse > 0)
            .withCache(Images.cache(said.targetCache, "cache", 1));
    return Images.open(opener, targetName, said.targetFormat, said.targetOpts, mode);
  }

  private void refuseTarget(BlockNode source, BlockNode target) throws BlockFault {
    ConvertCommand.refuse(
        said.compress && !Formats.compresses(target.driver()),
        "Compression not supported for this file format");
    ConvertCommand.refuse(
        said.noCreate && target.length() < source.length(),
        "output file is smaller than input file");
  }

  private void copy(BlockNode source, BlockNode target, boolean backed, ProgressLine progress)
      throws BlockFault {
    BlockNode sink = said.rate > 0 ? new PacedNode(target, said.rate) : target;
    var conversion = new Conversion(source, sink).sparse(said.sparse);
    if (said.parallel > 0) {
      conversion.workers(workers());
    }
    if (backed) {
      conversion.overBacking(backingLength(target));
    } else if (!said.targetIsZero && !zeroWhenNew) {
      conversion.targetHoldsData();
    }
    if (said.anyOrder) {
      conversion.outOfOrder();
    }
    if (said.compress) {
      conversion.compressed();
    }
    if (said.salvage) {
      conversion.salvage();
    }
    if (said.offload) {
      conversion.offload();
    }
    conversion.run(progress);
  }

  /** Compression keeps every processor busy, however few requests were asked for. */
  private int workers() {
    return said.compress
        ? Math.clamp(Runtime.getRuntime().availableProcessors(), said.parallel, 16)
        : said.parallel;
  }

  private long backingLength(BlockNode target) throws BlockFault {
    @Nullable BlockNode below = target.backing();
    if (below == null) {
      throw new BlockFault(Errno.EINVAL, "target '" + targetName + "' has no backing file");
    }
    return said.noCreate ? Long.MAX_VALUE : below.length();
  }
}
