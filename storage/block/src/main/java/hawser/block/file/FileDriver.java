package hawser.block.file;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.block.Driver;
import hawser.block.OpenMode;
import hawser.block.Opener;
import hawser.block.Options;

/** Opens {@code file}: a regular file. */
public final class FileDriver implements Driver {
  @Override
  public String name() {
    return "file";
  }

  @Override
  public BlockNode open(Options options, Opener opener, OpenMode mode) throws BlockFault {
    return FileNode.open(options.needed("filename"), mode);
  }
}
