package hawser.block.format.qcow2.check;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.block.BlockNode;
import hawser.block.Extent;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A file that goes on with zeroes behind its end, up to the largest offset QEMU knows. Tables that
 * a broken image places there are read as zeroes, as QEMU reads them. Only reads; closing leaves
 * the file open.
 */
final class PaddedFile implements BlockNode {
  /** QEMU's BDRV_MAX_LENGTH: the largest offset, rounded down to its largest alignment of 1 GiB. */
  static final long LENGTH = Long.MAX_VALUE & -(1L << 30);

  /** QEMU's sector: it sees the length of a file rounded up to it. */
  private static final long SECTOR = 512;

  private final BlockNode file;
  private final long stored;
  private final long alignment;

  PaddedFile(BlockNode file) throws BlockFault {
    this.file = file;
    this.stored = file.length();
    this.alignment = file.limits().alignment();
  }

  /** The length of the file beneath, rounded up to sectors as QEMU does. */
  long storedLength() {
    return Ranges.alignUp(stored, SECTOR);
  }

  @Override
  public String name() {
    return file.name();
  }

  @Override
  public String driver() {
    return file.driver();
  }

  @Override
  public long length() {
    return LENGTH;
  }

  @Override
  public boolean readOnly() {
    return true;
  }

  @Override
  public void read(MemorySegment into, long offset) throws BlockFault {
    long bytes = into.byteSize();
    if (!Ranges.contains(LENGTH, offset, bytes)) {
      throw BlockFault.of(Errno.EIO, "Check failed");
    }
    long there = Math.clamp(stored - offset, 0, bytes);
    if (there > 0) {
      readStored(into.asSlice(0, there), offset);
    }
    into.asSlice(there).fill((byte) 0);
  }

  private void readStored(MemorySegment into, long offset) throws BlockFault {
    long start = Ranges.alignDown(offset, alignment);
    long end = Ranges.alignUp(offset + into.byteSize(), alignment);
    if (start == offset && end == offset + into.byteSize()) {
      file.read(into, offset);
      return;
    }
    try (var arena = Arena.ofConfined()) {
      MemorySegment whole = arena.allocate(end - start, alignment);
      file.read(whole, start);
      into.copyFrom(whole.asSlice(offset - start, into.byteSize()));
    }
  }

  @Override
  public void write(MemorySegment from, long offset, int flags) throws BlockFault {
    throw readsOnly();
  }

  @Override
  public void writeZeroes(long offset, long length, int flags) throws BlockFault {
    throw readsOnly();
  }

  @Override
  public void discard(long offset, long length) throws BlockFault {
    throw readsOnly();
  }

  private static BlockFault readsOnly() {
    return new BlockFault(Errno.EPERM, "a check only reads");
  }

  @Override
  public void flush() {}

  @Override
  public Extent extent(long offset, long length) throws BlockFault {
    return new Extent(offset, length, Extent.Kind.DATA, 0, offset, this);
  }

  @Override
  public void close() {}
}
