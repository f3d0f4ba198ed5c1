package hawser.tools.img;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.block.filter.FilterNode;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.LockSupport;

/** Writes no faster than so many bytes a second, on average: {@code convert -r}. */
final class PacedNode extends FilterNode {
  private static final double NANOS = 1e9;

  private final long bytesPerSecond;
  private long free = System.nanoTime();

  PacedNode(BlockNode below, long bytesPerSecond) {
    super(below);
    this.bytesPerSecond = bytesPerSecond;
  }

  @Override
  public String driver() {
    return below().driver();
  }

  @Override
  public void write(MemorySegment from, long offset, int flags) throws BlockFault {
    awaitTurn(from.byteSize());
    below().write(from, offset, flags);
  }

  @Override
  public void write(MemorySegment[] from, long offset, int flags) throws BlockFault {
    long bytes = 0;
    for (MemorySegment piece : from) {
      bytes += piece.byteSize();
    }
    awaitTurn(bytes);
    below().write(from, offset, flags);
  }

  @Override
  public boolean writeNow(MemorySegment from, long offset, int flags) {
    return false;
  }

  /** Takes the next free stretch of time, and waits for its start. */
  private void awaitTurn(long bytes) {
    long start;
    synchronized (this) {
      start = Math.max(free, System.nanoTime());
      free = start + (long) (bytes * NANOS / bytesPerSecond);
    }
    for (long left = start - System.nanoTime(); left > 0; left = start - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }
}
