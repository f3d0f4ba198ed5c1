package hawser.block.format.raw;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.base.json.Json;
import hawser.block.BlockNode;
import hawser.block.CreateOption;
import hawser.block.CreateOptions;
import hawser.block.Driver;
import hawser.block.Measure;
import hawser.block.OpenMode;
import hawser.block.Opener;
import hawser.block.Options;
import hawser.block.Permissions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Opens {@code raw}: all bytes of the node beneath, or those from {@code offset} on. */
public final class RawDriver implements Driver {
  private static final int SECTOR_BYTES = 512;

  @Override
  public String name() {
    return "raw";
  }

  @Override
  public BlockNode open(Options options, Opener opener, OpenMode mode) throws BlockFault {
    Map<String, Json> given = new LinkedHashMap<>();
    options.peek("offset").ifPresent(value -> given.put("offset", value));
    options.peek("size").ifPresent(value -> given.put("size", value));
    long offset = options.size("offset").orElse(0);
    OptionalLong size = options.size("size");
    boolean part = offset > 0 || size.isPresent();
    BlockNode file = opener.child(options, "file", part ? partOf(mode) : mode);
    try {
      boolean guarded = options.probed() && mode.writable();
      if (guarded) {
        opener.warn(guessed(file.name()));
      }
      RawNode.Window window = window(file, offset, size);
      RawNode node = new RawNode(file, window, given);
      return guarded ? new ProbedRawNode(node, opener) : node;
    } catch (BlockFault e) {
      file.close();
      throw e;
    }
  }

  /** Others may not resize a file of which a part is used; growing it ourselves is not needed. */
  private static OpenMode partOf(OpenMode mode) {
    var whole = mode.permissions();
    var part = whole.forData();
    return mode.withPermissions(new Permissions(whole.used(), part.shared()));
  }

  private static RawNode.Window window(BlockNode file, long offset, OptionalLong size)
      throws BlockFault {
    long real = roundUp(file.length());
    if (offset > real) {
      throw new BlockFault(
          Errno.EINVAL,
          "Offset (%d) cannot be greater than size of the containing file (%d)"
              .formatted(offset, real));
    }
    if (size.isPresent() && real - offset < size.getAsLong()) {
      throw new BlockFault(
          Errno.EINVAL,
          ("The sum of offset (%d) and size (%d) has to be smaller or equal to the "
                  + " actual size of the containing file (%d)")
              .formatted(offset, size.getAsLong(), real));
    }
    if (size.isPresent() && size.getAsLong() % SECTOR_BYTES != 0) {
      throw new BlockFault(Errno.EINVAL, "Specified size is not multiple of 512");
    }
    return new RawNode.Window(offset, size);
  }

  /** A disk has whole sectors, also when the file ends within one. */
  static long roundUp(long length) {
    return (length + SECTOR_BYTES - 1) & -SECTOR_BYTES;
  }

  private static String guessed(String name) {
    return """
        WARNING: Image format was not specified for '%s' and probing guessed raw.
                 Automatically detecting the format is dangerous for raw images, write operations \
        on block 0 will be restricted.
                 Specify the 'raw' format explicitly to remove the restrictions."""
        .formatted(name);
  }

  @Override
  public List<CreateOption> createOptions() {
    return List.of(CreateOption.size());
  }

  @Override
  public void create(String name, CreateOptions options, Opener opener) throws BlockFault {
    opener.protocol(name).create(name, options, opener);
  }

  @Override
  public Measure measure(CreateOptions options, @Nullable BlockNode source) throws BlockFault {
    long bytes = source == null ? options.size("size").orElse(0) : source.length();
    long sectors = Ranges.alignUp(bytes, SECTOR_BYTES);
    return new Measure(sectors, sectors, OptionalLong.empty());
  }
}
