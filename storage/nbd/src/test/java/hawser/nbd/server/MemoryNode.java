package hawser.nbd.server;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.BlockNode;
import hawser.block.Extent;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** A disk in memory whose first MiB can be held up, for tests of the server. */
public class MemoryNode implements BlockNode {
  /** Requests at this offset wait for {@link #gate} when there is one. */
  public static final long SLOW = 4096;

  final MemorySegment memory;
  final AtomicInteger flushes = new AtomicInteger();
  volatile CountDownLatch gate = new CountDownLatch(0);
  private final boolean now;

  /** Requests that reach this byte fail with EIO. */
  volatile long badByte = -1;

  public MemoryNode(long size, boolean now) {
    memory = Arena.ofAuto().allocate(size, 4096);
    this.now = now;
  }

  @Override
  public String name() {
    return "memory";
  }

  @Override
  public String driver() {
    return "memory";
  }

  @Override
  public long length() {
    return memory.byteSize();
  }

  @Override
  public boolean readOnly() {
    return false;
  }

  private void checkGood(MemorySegment data, long offset) throws BlockFault {
    if (badByte >= offset && badByte - offset < data.byteSize()) {
      throw new BlockFault(Errno.EIO, "bad byte");
    }
  }

  private void pass(long offset) {
    if (offset == SLOW) {
      try {
        gate.await();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }

  @Override
  public void read(MemorySegment into, long offset) throws BlockFault {
    pass(offset);
    checkGood(into, offset);
    if (offset == 8192 && gate.getCount() > 0) {
      throw new BlockFault(Errno.EIO, "bad sector");
    }
    MemorySegment.copy(memory, offset, into, 0, into.byteSize());
  }

  @Override
  public boolean readNow(MemorySegment into, long offset) {
    if (!now || gate.getCount() > 0) {
      return false;
    }
    MemorySegment.copy(memory, offset, into, 0, into.byteSize());
    return true;
  }

  @Override
  public void write(MemorySegment from, long offset, int flags) throws BlockFault {
    pass(offset);
    checkGood(from, offset);
    MemorySegment.copy(from, 0, memory, offset, from.byteSize());
  }

  @Override
  public boolean writeNow(MemorySegment from, long offset, int flags) {
    if (!now || gate.getCount() > 0) {
      return false;
    }
    MemorySegment.copy(from, 0, memory, offset, from.byteSize());
    return true;
  }

  @Override
  public void writeZeroes(long offset, long length, int flags) {
    memory.asSlice(offset, length).fill((byte) 0);
  }

  @Override
  public void discard(long offset, long length) {}

  @Override
  public void flush() {
    flushes.incrementAndGet();
  }

  @Override
  public Extent extent(long offset, long length) {
    long half = length() / 2;
    long end = offset < half ? half : length();
    Extent.Kind kind = offset < half ? Extent.Kind.DATA : Extent.Kind.UNALLOCATED;
    return Extent.of(offset, Math.min(length, end - offset), kind);
  }

  @Override
  public void close() {}
}
