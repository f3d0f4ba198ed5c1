package hawser.block.format.raw;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.block.BlockNode;
import hawser.block.CreateOption;
import hawser.block.CreateOptions;
import hawser.block.Driver;
import hawser.block.Measure;
import hawser.block.OpenMode;
import hawser.block.Opener;
import hawser.block.Options;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Opens {@code raw}. */
public final class RawDriver implements Driver {
  @Override
  public String name() {
    return "raw";
  }

  @Override
  public BlockNode open(Options options, Opener opener, OpenMode mode) throws BlockFault {
    var file =
        options
            .child("file")
            .orElseThrow(() -> new BlockFault(Errno.EINVAL, "Parameter 'file' is missing"));
    return new RawNode(opener.open(file, mode));
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
    long sectors = Ranges.alignUp(bytes, 512);
    return new Measure(sectors, sectors, OptionalLong.empty());
  }
}
