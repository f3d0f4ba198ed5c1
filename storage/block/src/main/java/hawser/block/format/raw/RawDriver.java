package hawser.block.format.raw;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.BlockNode;
import hawser.block.Driver;
import hawser.block.OpenMode;
import hawser.block.Opener;
import hawser.block.Options;

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
}
