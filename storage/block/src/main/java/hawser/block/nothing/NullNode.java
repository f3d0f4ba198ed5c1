package hawser.block.nothing;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.block.BlockNode;
import hawser.block.Extent;
import hawser.block.NodeInfo;
import java.lang.foreign.MemorySegment;
import java.util.OptionalLong;
import java.util.concurrent.locks.LockSupport;

/**
 * A disk that forgets every write and reads as zeroes, for measuring what lies above it. Unlike
 * QEMU's it never leaves a buffer as it was, for that may hold another client's data; whether it
 * promises zeroes is said by its extents.
 */
final class NullNode implements BlockNode {
  private final String driver;
  private final String name;
  private final long length;
  private final long latencyNanos;
  private final boolean promisesZeroes;
  private final boolean readOnly;

  NullNode(
      String driver,
      String name,
      long length,
      long latencyNanos,
      boolean promisesZeroes,
      boolean readOnly) {
    this.driver = driver;
    this.name = name;
    this.length = length;
    this.latencyNanos = latencyNanos;
    this.promisesZeroes = promisesZeroes;
    this.readOnly = readOnly;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String driver() {
    return driver;
  }

  @Override
  public long length() {
    return length;
  }

  @Override
  public boolean readOnly() {
    return readOnly;
  }

  @Override
  public NodeInfo info() {
    return NodeInfo.of(OptionalLong.of(0));
  }

  private void check(long offset, long bytes) throws BlockFault {
    if (!Ranges.contains(length, offset, bytes)) {
      throw new BlockFault(
          Errno.EINVAL, bytes + " bytes at " + offset + " are not inside the disk");
    }
  }

  private void checkWrite(long offset, long bytes) throws BlockFault {
    check(offset, bytes);
    if (readOnly) {
      throw new BlockFault(Errno.EPERM, "'" + name + "' is open for reading only");
    }
  }

  private void pause() {
    long end = System.nanoTime() + latencyNanos;
    long left = latencyNanos;
    while (left > 0) {
      LockSupport.parkNanos(left);
      left = end - System.nanoTime();
    }
  }

  @Override
  public void read(MemorySegment into, long offset) throws BlockFault {
    check(offset, into.byteSize());
    pause();
    into.fill((byte) 0);
  }

  @Override
  public boolean readNow(MemorySegment into, long offset) throws BlockFault {
    if (latencyNanos > 0) {
      return false;
    }
    read(into, offset);
    return true;
  }

  @Override
  public void write(MemorySegment from, long offset, int flags) throws BlockFault {
    checkWrite(offset, from.byteSize());
    pause();
  }

  @Override
  public boolean writeNow(MemorySegment from, long offset, int flags) throws BlockFault {
    if (latencyNanos > 0) {
      return false;
    }
    write(from, offset, flags);
    return true;
  }

  @Override
  public void writeZeroes(long offset, long bytes, int flags) throws BlockFault {
    checkWrite(offset, bytes);
    pause();
  }

  @Override
  public void discard(long offset, long bytes) throws BlockFault {
    checkWrite(offset, bytes);
    pause();
  }

  @Override
  public void flush() {
    pause();
  }

  @Override
  public Extent extent(long offset, long bytes) throws BlockFault {
    check(offset, 1);
    return new Extent(
        offset,
        Math.min(bytes, length - offset),
        promisesZeroes ? Extent.Kind.ZERO : Extent.Kind.DATA,
        0,
        offset,
        this);
  }

  @Override
  public void close() {}
}
