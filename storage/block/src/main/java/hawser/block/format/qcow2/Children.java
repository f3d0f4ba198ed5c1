package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.BlockNode;
import hawser.block.OpenMode;
import hawser.block.Opener;
import hawser.block.Options;
import hawser.block.format.qcow2.layout.IncompatibleFeature;
import hawser.block.format.qcow2.layout.Qcow2Header;
import org.jspecify.annotations.Nullable;

/** Opens what an image refers to: its data file and its backing file, as far as the policy goes. */
final class Children {
  private final Options options;
  private final Opener opener;
  private final OpenMode mode;
  private final BlockNode file;
  private final Qcow2Header header;

  Children(Options options, Opener opener, OpenMode mode, BlockNode file, Qcow2Header header) {
    this.options = options;
    this.opener = opener;
    this.mode = mode;
    this.file = file;
    this.header = header;
  }

  /** The external data file, or null when the image has none. */
  @Nullable BlockNode dataFile() throws BlockFault {
    if (!header.has(IncompatibleFeature.DATA_FILE)) {
      if (options.has("data-file")) {
        throw new BlockFault(
            Errno.EINVAL, "'data-file' can only be set for images with an external data file");
      }
      return null;
    }
    if (mode.quick() && !mode.checking()) {
      return null; // Whoever only asks what the image is gets no other file opened.
    }
    if (options.has("data-file")) {
      return opener.child(options, "data-file", mode.forData());
    }
    String name = header.dataFileName();
    if (name == null) {
      throw new BlockFault(Errno.EINVAL, "'data-file' is required for this image");
    }
    // As it stands there: unlike a backing file it is not looked for beside the image, QEMU does
    // not.
    if (!opener.policy().mayOpen(name, "data file")) {
      throw new BlockFault(Errno.EPERM, "the policy forbids opening data file '" + name + "'");
    }
    return opener.openProtocol(name, mode.forData());
  }

  /** The backing file, or null when the image has none or it is not wanted. */
  @Nullable BlockNode backing() throws BlockFault {
    String name = header.backingName();
    return opener.backing(options, name == null ? "" : name, header.backingFormat(), file, mode);
  }
}
