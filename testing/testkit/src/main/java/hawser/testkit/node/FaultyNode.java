package hawser.testkit.node;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.BlockNode;
import hawser.block.Preallocation;
import hawser.block.filter.FilterNode;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;

/**
 * Fails some requests, as a seed decides. A write that fails may have been done in part, as on a
 * real disk. Whoever uses one names the seed in the failure of the test.
 */
public final class FaultyNode extends FilterNode {
  private final Random dice;
  private final double failRate;
  private int failed;

  /** Over {@code below}; each request fails with a chance of {@code failRate} in 1. */
  public FaultyNode(BlockNode below, Random dice, double failRate) {
    super(below);
    this.dice = dice;
    this.failRate = failRate;
  }

  /** How many requests have failed. */
  public synchronized int failed() {
    return failed;
  }

  private synchronized boolean fails() {
    boolean unlucky = dice.nextDouble() < failRate;
    failed += unlucky ? 1 : 0;
    return unlucky;
  }

  private static BlockFault fault(String doing) {
    return BlockFault.of(Errno.EIO, "the dice failed a " + doing);
  }

  private void roll(String doing) throws BlockFault {
    if (fails()) {
      throw fault(doing);
    }
  }

  @Override
  public String driver() {
    return below().driver();
  }

  @Override
  public List<BlockNode> children() {
    return below().children();
  }

  @Override
  public void read(MemorySegment into, long offset) throws BlockFault {
    roll("read");
    below().read(into, offset);
  }

  @Override
  public void read(MemorySegment[] into, long offset) throws BlockFault {
    roll("read");
    below().read(into, offset);
  }

  @Override
  public boolean readNow(MemorySegment into, long offset) {
    return false;
  }

  @Override
  public void write(MemorySegment from, long offset, int flags) throws BlockFault {
    if (fails()) {
      long part;
      synchronized (this) {
        part = dice.nextLong(from.byteSize() / Operation.SECTOR_BYTES + 1) * Operation.SECTOR_BYTES;
      }
      if (part > 0) {
        below().write(from.asSlice(0, Math.min(part, from.byteSize())), offset, flags);
      }
      throw fault("write");
    }
    below().write(from, offset, flags);
  }

  @Override
  public void write(MemorySegment[] from, long offset, int flags) throws BlockFault {
    long at = offset;
    for (MemorySegment piece : from) {
      write(piece, at, flags);
      at += piece.byteSize();
    }
  }

  @Override
  public boolean writeNow(MemorySegment from, long offset, int flags) {
    return false;
  }

  @Override
  public void writeZeroes(long offset, long length, int flags) throws BlockFault {
    roll("zeroing");
    below().writeZeroes(offset, length, flags);
  }

  @Override
  public void discard(long offset, long length) throws BlockFault {
    roll("discard");
    below().discard(offset, length);
  }

  @Override
  public void flush() throws BlockFault {
    roll("flush");
    below().flush();
  }

  @Override
  public void resize(long length, Preallocation preallocation) throws BlockFault {
    roll("resize");
    below().resize(length, preallocation);
  }
}
