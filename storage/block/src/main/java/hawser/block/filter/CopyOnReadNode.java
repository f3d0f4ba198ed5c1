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
  private static final long SMALLEST_UNIT = 512;

  /**
   * Writers share it; a copy has it alone, so that it never puts old bytes over what was written
   * after it read them.
   */
  private final ReentrantReadWriteLock writes = new ReentrantReadWriteLock();

  /** Bytes of a cluster, or of a subcluster where there are any. */
  private final long unit;

  /** Over {@code below}, which must be writable. */
  public CopyOnReadNode(BlockNode below) throws BlockFault {
    super(below);
    boolean clustered = below.info().clusterSize().orElse(0) > 0;
    this.unit = clustered ? below.limits().preferred() : SMALLEST_UNIT;
  }

  @Override
  public String driver() {
    return "copy-on-read";
  }

  @Override
  public void read(MemorySegment into, long offset) throws BlockFault {
    long end = offset + into.byteSize();
    long size = below().length();
    long bytes = into.byteSize();
    if (!Ranges.contains(size, offset, bytes)) {
      below().read(into, offset);
      return;
    }
    long at = offset;
    while (at < end) {
      Extent extent = below().extent(at, end - at);
      if (kept(extent)) {
        below().read(into.asSlice(at - offset, extent.length()), at);
        at = extent.end();
      } else {
        at = copy(at, extent.end(), into.asSlice(at - offset, end - at));
      }
    }
  }

  @Override
  public void read(MemorySegment[] into, long offset) throws BlockFault {
    long at = offset;
    for (MemorySegment piece : into) {
      read(piece, at);
      at += piece.byteSize();
    }
  }

  private static boolean kept(Extent extent) {
    return extent.depth() == 0 && extent.kind().allocated();
  }

  @Override
  public boolean readNow(MemorySegment into, long offset) {
    return false;
  }

  /**
   * Reads from {@code from} to {@code to}, or a part of that, and keeps the clusters that it
   * touches.
   *
   * @return where it stopped
   */
  private long copy(long from, long to, MemorySegment into) throws BlockFault {
    long start = Ranges.alignDown(from, unit);
    long most = start + Math.max(COPY_BYTES, unit);
    long end = Math.min(below().length(), Math.min(most, Ranges.alignUp(to, unit)));
    long read = Math.min(Math.min(end, to) - from, into.byteSize());
    writes.writeLock().lock();
    try (var arena = Arena.ofConfined()) {
      Extent now = below().extent(from, read);
      if (kept(now)) {
        below().read(into.asSlice(0, now.length()), from);
        return now.end();
      }
      MemorySegment buffer = arena.allocate(end - start, MEMORY_ALIGNMENT);
      below().read(buffer, start);
      below().event(BlkdebugEvent.COR_WRITE);
      if (ZeroBytes.only(buffer)) {
        below().writeZeroes(start, end - start, 0);
      } else {
        below().write(buffer, start, 0);
      }
      MemorySegment.copy(buffer, from - start, into, 0, read);
    } finally {
      writes.writeLock().unlock();
    }
    return from + read;
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
