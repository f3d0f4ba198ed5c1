package hawser.block.file;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.base.json.Json;
import hawser.block.BlockNode;
import hawser.block.CreateOptions;
import hawser.block.ImageName;
import hawser.block.OpenMode;
import hawser.block.Opener;
import hawser.block.Options;
import hawser.block.Preallocation;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Makes a file of a wanted length: what {@code create} does for a path. */
final class FileCreation {
  /** Disks are whole sectors; QEMU rounds a new file's size up to one. */
  private static final int SECTOR = 512;

  private FileCreation() {}

  static void create(String name, CreateOptions options, Opener opener) throws BlockFault {
    Preallocation preallocation = options.preallocation();
    if (preallocation == Preallocation.METADATA) {
      throw new BlockFault(Errno.EOPNOTSUPP, "Unsupported preallocation mode: metadata");
    }
    long size = Ranges.alignUp(options.size("size").orElse(0), SECTOR);
    String path = ImageName.path(name);
    touch(path);
    var file = new Options().put("driver", Json.of("file")).put("filename", Json.of(path));
    try (BlockNode node = opener.open(file, OpenMode.WRITE)) {
      node.resize(0, Preallocation.OFF);
      node.resize(size, preallocation);
    }
  }

  /** Makes the file if there is none. An image in use by another program keeps its content. */
  private static void touch(String path) throws BlockFault {
    String doing = "Could not create '" + path + "'";
    try {
      FileChannel.open(Path.of(path), StandardOpenOption.CREATE, StandardOpenOption.WRITE).close();
    } catch (NoSuchFileException e) {
      throw new BlockFault(Errno.ENOENT, doing + ": " + Errno.ENOENT.text(), e);
    } catch (AccessDeniedException e) {
      throw new BlockFault(Errno.EACCES, doing + ": " + Errno.EACCES.text(), e);
    } catch (IOException e) {
      throw new BlockFault(Errno.EIO, doing + ": " + reason(e), e);
    }
  }

  /** The system's words, which Java puts behind the path. */
  private static String reason(IOException e) {
    String text = String.valueOf(e.getMessage());
    int colon = text.lastIndexOf(": ");
    return colon < 0 ? text : text.substring(colon + 2);
  }
}
