package hawser.block.filter;

import hawser.base.BlockFault;
import hawser.base.Ranges;
import hawser.block.BlkdebugEvent;
import hawser.block.BlockNode;
import hawser.block.Extent;
import hawser.block.ZeroBytes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Keeps what is read: bytes that the disk beneath has from its backing disk are written into it, in
 * whole clusters, so that the next read finds them there.
 */
public final class CopyOnReadNode extends FilterNode {
  /** How much is copied at a time. */
  private static final int COPY_BYTES = 1 << 20;

  private static final int MEMORY_ALIGNMENT = 4096;

  /** Where the disk has no clusters, nobody gains by copying less than this. */
  private static final long SMALLEST_CLUSTER = 512;

  /**
   * Writers share it; a copy has it alone, so that it never puts old bytes over what was written
   * after it read them.
   */
  private final ReentrantReadWriteLock writes = new ReentrantReadWriteLock();

  private final long cluster;

  /** Over {@code below}, which must be writable. */
  public CopyOnReadNode(BlockNode below) throws BlockFault {
    super(below);
    this.cluster = Math.max(SMALLEST_CLUSTER, below.info().clusterSize().orElse(0));
  }

  @Override
  public String driver() {
    return "copy-on-read";
  }

  @Override
  public void read(MemorySegment into, long offset) throws BlockFault {
    keep(offset, into.byteSize());
    below().read(into, offset);
  }

  @Override
  public void read(MemorySegment[] into, long offset) throws BlockFault {
    long bytes = 0;
    for (MemorySegment piece : into) {
      bytes += piece.byteSize();
    }
    keep(offset, bytes);
    below().read(into, offset);
  }

  @Override
  public boolean readNow(MemorySegment into, long offset) {
    return false;
  }

  private void keep(long offset, long bytes) throws BlockFault {
    long size = below().length();
    if (!Ranges.contains(size, offset, bytes)) {
      // The read itself will say so.
      return;
    }
    long end = Math.min(size, Ranges.alignUp(offset + bytes, cluster));
    long at = bytes == 0 ? end : Ranges.alignDown(offset, cluster);
    while (at < end) {
      Extent extent = below().extent(at, end - at);
      if (extent.depth() == 0 && extent.kind().allocated()) {
        at = extent.end();
      } else {
        at = copy(at, Math.min(end, Ranges.alignUp(extent.end(), cluster)));
      }
    }
  }

  /** Copies clusters from {@code from}; answers with where it stopped. */
  private long copy(long from, long to) throws BlockFault {
    long bytes = Math.min(to - from, Math.max(COPY_BYTES, cluster));
    writes.writeLock().lock();
    try (var arena = Arena.ofConfined()) {
      Extent extent = below().extent(from, bytes);
      if (extent.depth() == 0 && extent.kind().allocated()) {
        return extent.end();
      }
      MemorySegment buffer = arena.allocate(bytes, MEMORY_ALIGNMENT);
      below().read(buffer, from);
      below().event(BlkdebugEvent.COR_WRITE);
      if (ZeroBytes.only(buffer)) {
        below().writeZeroes(from, bytes, 0);
      } else {
        below().write(buffer, from, 0);
      }
    } finally {
      writes.writeLock().unlock();
    }
    return from + bytes;
  }

  @Override
  public void write(MemorySegment from, long offset, int flags) throws BlockFault {
    writes.readLock().lock();
    try {
      below().write(from, offset, flags);
    } finally {
      writes.readLock().unlock();
    }
  }

  @Override
  public void write(MemorySegment[] from, long offset, int flags) throws BlockFault {
    writes.readLock().lock();
    try {
      below().write(from, offset, flags);
    } finally {
      writes.readLock().unlock();
    }
  }

  @Override
  public boolean writeNow(MemorySegment from, long offset, int flags) {
    return false;
  }

  @Override
  public void writeZeroes(long offset, long length, int flags) throws BlockFault {
    writes.readLock().lock();
    try {
      below().writeZeroes(offset, length, flags);
    } finally {
      writes.readLock().unlock();
    }
  }

  @Override
  public void discard(long offset, long length) throws BlockFault {
    writes.readLock().lock();
    try {
      below().discard(offset, length);
    } finally {
      writes.readLock().unlock();
    }
  }
}
