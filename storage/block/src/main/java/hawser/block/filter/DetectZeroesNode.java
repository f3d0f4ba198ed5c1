package hawser.block.filter;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.block.NodeInfo;
import hawser.block.ZeroBytes;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Turns writes of nothing but zeroes into zeroing requests (QEMU's {@code detect-zeroes}). It goes
 * by the name and driver of the node beneath, for it is an option of that node.
 */
public final class DetectZeroesNode extends FilterNode {
  private final int zeroFlags;

  /** Over {@code below}; with {@code unmap} the zeroed room may be given back. */
  public DetectZeroesNode(BlockNode below, boolean unmap) {
    super(below);
    this.zeroFlags = unmap ? MAY_UNMAP : 0;
  }

  @Override
  public String driver() {
    return below().driver();
  }

  @Override
  public void write(MemorySegment from, long offset, int flags) throws BlockFault {
    if ((flags & COMPRESSED) == 0 && ZeroBytes.only(from)) {
      below().writeZeroes(offset, from.byteSize(), (flags & FUA) | zeroFlags);
    } else {
      below().write(from, offset, flags);
    }
  }

  @Override
  public void write(MemorySegment[] from, long offset, int flags) throws BlockFault {
    long total = 0;
    boolean zero = (flags & COMPRESSED) == 0;
    for (MemorySegment piece : from) {
      zero = zero && ZeroBytes.only(piece);
      total += piece.byteSize();
    }
    if (zero) {
      below().writeZeroes(offset, total, (flags & FUA) | zeroFlags);
    } else {
      below().write(from, offset, flags);
    }
  }

  @Override
  public boolean writeNow(MemorySegment from, long offset, int flags) throws BlockFault {
    return !ZeroBytes.only(from) && below().writeNow(from, offset, flags);
  }

  @Override
  public List<BlockNode> children() {
    return below().children();
  }

  @Override
  public NodeInfo info() throws BlockFault {
    return below().info();
  }
}
