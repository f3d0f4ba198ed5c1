package hawser.blk;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.block.Limits;

/**
 * What a device is the disk of: a node that is there for good ({@link #of}), or one that is given
 * up while its guest is elsewhere ({@link MovingDisk}). Called by the connection's thread.
 */
public interface Disk {
  /**
   * The node, for the requests of queues that begin to work.
   *
   * @throws BlockFault when the disk is not to be had, as an image that another program writes
   */
  BlockNode activate() throws BlockFault;

  /** Whether {@link #activate} has nothing to do. */
  boolean active();

  /** Bytes; of a disk that was given up, those it had then. */
  long length();

  /** What requests must keep to. */
  Limits limits();

  /** Whether the guest cannot write. */
  boolean readOnly();

  /**
   * The guest goes on elsewhere, and no queue works: makes everything durable, and gives up what
   * can be taken again.
   */
  void giveUp() throws BlockFault;

  /** A node that stays open, and the caller's. */
  static Disk of(BlockNode node) {
    return new Disk() {
      @Override
      public BlockNode activate() {
        return node;
      }

      @Override
      public boolean active() {
        return true;
      }

      @Override
      public long length() {
        return lengthOf(node);
      }

      @Override
      public Limits limits() {
        return node.limits();
      }

      @Override
      public boolean readOnly() {
        return node.readOnly();
      }

      @Override
      public void giveUp() throws BlockFault {
        node.flush();
      }
    };
  }

  /** A node's length; 0 where it cannot be told, so that a guest sees an empty disk. */
  static long lengthOf(BlockNode node) {
    try {
      return node.length();
    } catch (BlockFault e) {
      return 0;
    }
  }
}
