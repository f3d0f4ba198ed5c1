package hawser.block;

import hawser.base.BlockFault;
import hawser.base.Errno;
import java.util.List;
import java.util.Optional;

/**
 * What making a new image means on a protocol that has no means for it, such as NBD: the target
 * must be there and large enough; its first sector is cleared, so that no format's old header is
 * found.
 */
public final class ExistingTarget {
  /** What may be said of such an image; for {@link Driver#createOptions}. */
  public static final List<CreateOption> OPTIONS =
      List.of(
          CreateOption.size(),
          CreateOption.of(
              "preallocation", CreateOption.Kind.TEXT, "Preallocation mode (allowed values: off)"));

  private static final int SECTOR = 512;

  private ExistingTarget() {}

  /** For {@link Driver#create}. */
  public static void create(Driver protocol, String name, CreateOptions options, Opener opener)
      throws BlockFault {
    String mode = options.text("preallocation").orElse("off");
    Optional<Preallocation> preallocation = Preallocation.named(mode);
    if (preallocation.isEmpty()) {
      throw new BlockFault(Errno.EINVAL, "invalid parameter value: " + mode);
    }
    if (preallocation.get() != Preallocation.OFF) {
      throw new BlockFault(Errno.EOPNOTSUPP, "Unsupported preallocation mode '" + mode + "'");
    }
    try (BlockNode target = open(protocol, name, opener)) {
      resize(target, options.size("size").orElse(0));
      long head = Math.min(SECTOR, target.length());
      if (head > 0) {
        target.writeZeroes(0, head, BlockNode.MAY_UNMAP);
      }
    }
  }

  private static BlockNode open(Driver protocol, String name, Opener opener) throws BlockFault {
    try {
      return opener.open(ImageName.options(name, opener), OpenMode.WRITE);
    } catch (BlockFault fault) {
      throw new BlockFault(
          fault.errno(),
          "Protocol driver '"
              + protocol.name()
              + "' does not support creating new images, so an existing image must be selected as"
              + " the target; however, opening the given target as an existing image failed: "
              + fault.getMessage(),
          fault);
    }
  }

  /** A target that cannot be cut is as good when it is longer. */
  private static void resize(BlockNode target, long length) throws BlockFault {
    try {
      target.resize(length, Preallocation.OFF);
    } catch (BlockFault fault) {
      if (fault.errno() != Errno.EOPNOTSUPP || target.length() < length) {
        throw fault;
      }
    }
  }
}
