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
import java.lang.foreign.Arena;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Makes a file of a wanted length: what {@code create} does for a path. */
final class FileCreation {
  /** Disks are whole sectors; QEMU rounds a new file's size up to one. */
  private static final int SECTOR = 512;

  /** The largest alignment that O_DIRECT is known to ask for. */
  private static final int FIRST_BLOCK = 4096;

  private FileCreation() {}

  static void create(String name, CreateOptions options, Opener opener) throws BlockFault {
    String wanted = options.text("preallocation").orElse("off");
    Preallocation preallocation =
        Preallocation.named(wanted)
            .orElseThrow(() -> new BlockFault(Errno.EINVAL, "invalid parameter value: " + wanted));
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
      if (size > 0 && preallocation == Preallocation.OFF) {
        allocateFirstBlock(node, size);
      }
    }
  }

  /**
   * Writes zeroes to the first block. A file that is one hole looks as if it could be read at any
   * alignment; whoever opens it with O_DIRECT finds out the true one by trying the first block.
   */
  private static void allocateFirstBlock(BlockNode node, long size) throws BlockFault {
    try (var arena = Arena.ofConfined()) {
      node.write(arena.allocate(size < FIRST_BLOCK ? SECTOR : FIRST_BLOCK, FIRST_BLOCK), 0, 0);
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
