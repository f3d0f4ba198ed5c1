package hawser.block.throttle;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.block.filter.FilterNode;
import java.lang.foreign.MemorySegment;

/** Makes requests wait for their group's limits. */
final class ThrottleNode extends FilterNode {
  private final ThrottleGroup group;

  ThrottleNode(BlockNode below, ThrottleGroup group) {
    super(below);
    this.group = group;
  }

  @Override
  public String driver() {
    return "throttle";
  }

  private static long bytes(MemorySegment[] pieces) {
    long sum = 0;
    for (MemorySegment piece : pieces) {
      sum += piece.byteSize();
    }
    return sum;
  }

  @Override
  public void read(MemorySegment into, long offset) throws BlockFault {
    group.awaitRead(into.byteSize());
    below().read(into, offset);
  }

  @Override
  public void read(MemorySegment[] into, long offset) throws BlockFault {
    group.awaitRead(bytes(into));
    below().read(into, offset);
  }

  /** Every request may have to wait. */
  @Override
  public boolean readNow(MemorySegment into, long offset) {
    return false;
  }

  @Override
  public boolean writeNow(MemorySegment from, long offset, int flags) {
    return false;
  }

  @Override
  public void write(MemorySegment from, long offset, int flags) throws BlockFault {
    group.awaitWrite(from.byteSize());
    below().write(from, offset, flags);
  }

  @Override
  public void write(MemorySegment[] from, long offset, int flags) throws BlockFault {
    group.awaitWrite(bytes(from));
    below().write(from, offset, flags);
  }

  @Override
  public void writeZeroes(long offset, long length, int flags) throws BlockFault {
    group.awaitWrite(length);
    below().writeZeroes(offset, length, flags);
  }

  @Override
  public void discard(long offset, long length) throws BlockFault {
    group.awaitWrite(length);
    below().discard(offset, length);
  }
}
