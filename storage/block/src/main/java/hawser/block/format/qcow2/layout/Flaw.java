package hawser.block.format.qcow2.layout;

import hawser.base.BlockFault;
import hawser.base.Errno;

/**
 * Something in an image that is not as it must be.
 *
 * @param blocks what it stands in the way of
 * @param errno what opening fails with
 * @param text QEMU's words for it
 */
public record Flaw(Blocks blocks, Errno errno, String text) {
  /** What a flaw stands in the way of. */
  public enum Blocks {
    /** Any use of the image. */
    OPENING,
    /** Any use but checking and repairing. */
    USE,
    /** Writing; reading and repairing go. */
    WRITING,
    /** Nothing: the image is odd and usable. */
    NOTHING
  }

  static Flaw opening(Errno errno, String text) {
    return new Flaw(Blocks.OPENING, errno, text);
  }

  /** The flaw as the failure of an opening. */
  public BlockFault fault() {
    return new BlockFault(errno, text);
  }
}
