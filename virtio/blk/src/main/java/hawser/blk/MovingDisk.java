package hawser.blk;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.block.Limits;
import org.jspecify.annotations.Nullable;

/**
 * A disk on storage that two back-ends share while its guest moves from one to the other: each has
 * it open, with its locks and its tables in memory, only while the guest is there. Being opened
 * anew is what reads again the tables that the other one has written.
 *
 * <p>Safe from any thread.
 */
public final class MovingDisk implements Disk, AutoCloseable {
  private final Opening opening;
  private @Nullable BlockNode node;
  private long length;
  private Limits limits;
  private boolean readOnly;

  /** How the disk is opened. */
  @FunctionalInterface
  public interface Opening {
    /**
     * Opens the disk.
     *
     * @param use whether its guest is here; otherwise it is only looked at, is never written, and
     *     may be in use elsewhere
     */
    BlockNode open(boolean use) throws BlockFault;
  }

  private MovingDisk(Opening opening, BlockNode node, boolean readOnly) {
    this.opening = opening;
    this.node = node;
    this.length = Disk.lengthOf(node);
    this.limits = node.limits();
    this.readOnly = readOnly;
  }

  /** A disk whose guest is here. */
  public static MovingDisk here(Opening opening) throws BlockFault {
    BlockNode node = opening.open(true);
    return new MovingDisk(opening, node, node.readOnly());
  }

  /**
   * A disk whose guest is still elsewhere. It is looked at for its length, and taken when the guest
   * comes.
   *
   * @param readOnly whether the guest will not be allowed to write
   */
  public static MovingDisk elsewhere(Opening opening, boolean readOnly) throws BlockFault {
    BlockNode node = opening.open(false);
    var disk = new MovingDisk(opening, node, readOnly);
    disk.node = null;
    node.close();
    return disk;
  }

  @Override
  public synchronized BlockNode activate() throws BlockFault {
    BlockNode opened = node;
    if (opened == null) {
      opened = opening.open(true);
      node = opened;
      length = Disk.lengthOf(opened);
      limits = opened.limits();
      readOnly = opened.readOnly();
    }
    return opened;
  }

  @Override
  public synchronized boolean active() {
    return node != null;
  }

  @Override
  public synchronized long length() {
    return node == null ? length : Disk.lengthOf(node);
  }

  @Override
  public synchronized Limits limits() {
    return limits;
  }

  @Override
  public synchronized boolean readOnly() {
    return readOnly;
  }

  @Override
  public synchronized void giveUp() throws BlockFault {
    BlockNode open = node;
    if (open != null) {
      length = Disk.lengthOf(open);
      node = null;
      try {
        open.flush();
      } finally {
        open.close();
      }
    }
  }

  /**
   * Does something to the disk from outside of its queues, as a resize.
   *
   * @return false, with nothing done, while its guest is elsewhere
   */
  public synchronized boolean use(Use use) throws BlockFault {
    if (node == null) {
      return false;
    }
    use.of(node);
    return true;
  }

  /** What is done to a disk. */
  @FunctionalInterface
  public interface Use {
    /** Does it, while nobody gives the node up. */
    void of(BlockNode node) throws BlockFault;
  }

  @Override
  public void close() throws BlockFault {
    giveUp();
  }
}
