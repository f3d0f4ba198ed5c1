package hawser.block.file;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.block.CreateOption;
import hawser.block.CreateOptions;
import hawser.block.Driver;
import hawser.block.OpenMode;
import hawser.block.Opener;
import hawser.block.Options;
import java.util.List;

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

  @Override
  public List<CreateOption> createOptions() {
    return List.of(
        CreateOption.size(),
        CreateOption.of(
            "preallocation",
            CreateOption.Kind.TEXT,
            "Preallocation mode (allowed values: off, falloc, full)"),
        CreateOption.of(
            "nocow", CreateOption.Kind.SWITCH, "Turn off copy-on-write (valid only on btrfs)"),
        CreateOption.of(
            "extent_size_hint",
            CreateOption.Kind.SIZE,
            "Extent size hint for the image file, 0 to disable"));
  }

  @Override
  public void create(String name, CreateOptions options, Opener opener) throws BlockFault {
    FileCreation.create(name, options, opener);
  }
}
