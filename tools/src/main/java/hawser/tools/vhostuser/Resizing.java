package hawser.tools.vhostuser;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Size;
import hawser.blk.BlkDevice;
import hawser.blk.MovingDisk;
import hawser.block.BlockNode;
import hawser.block.Preallocation;
import java.util.OptionalLong;

/**
 * Answers {@code resize SIZE}: makes a disk larger while its guest uses it, and tells the guest.
 */
record Resizing(MovingDisk disk, BlkDevice device) implements ControlSocket.Answers {
  private static final String COMMAND = "resize ";

  @Override
  public String to(String question) {
    if (!question.startsWith(COMMAND)) {
      return "unknown: '%s' is not resize SIZE\n".formatted(question);
    }
    OptionalLong size = Size.parse(question.substring(COMMAND.length()).strip());
    if (size.isEmpty()) {
      return "refused: '%s' is not a size\n".formatted(question.substring(COMMAND.length()));
    }
    try {
      if (!disk.use(node -> grow(node, size.getAsLong()))) {
        return "refused: its guest is elsewhere\n";
      }
    } catch (BlockFault e) {
      return "refused: %s\n".formatted(e.getMessage());
    }
    device.resized();
    return "done\n";
  }

  private static void grow(BlockNode node, long size) throws BlockFault {
    if (size < node.length()) {
      throw new BlockFault(
          Errno.EINVAL, "%d bytes are less than its %d".formatted(size, node.length()));
    }
    node.resize(size, Preallocation.OFF);
  }
}
