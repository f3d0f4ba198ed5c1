package hawser.block.filter;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.block.BlkdebugEvent;
import hawser.block.BlockNode;
import hawser.block.DirectFile;
import hawser.block.Limits;
import hawser.block.NodeInfo;
import hawser.block.Preallocation;
import hawser.block.ZeroBytes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.locks.StampedLock;
import org.jspecify.annotations.Nullable;

/**
 * Lets callers use any offset, length and buffer on a node that insists on alignment: reads more
 * than was asked for, reads the rest of a block before writing part of it, and goes through a
 * buffer of its own when the caller's lies badly in memory. Requests that are aligned pass straight
 * through. It goes by the name of the node beneath.
 */
public final class AlignedNode extends FilterNode {
  /** How much is moved at a time through the aligned buffer; one buffer a thread. */
  private static final int BOUNCE_BYTES = 1 << 20;

  private static final int MEMORY_ALIGNMENT = 1 << 16;

  private static final ThreadLocal<MemorySegment> BOUNCE =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(BOUNCE_BYTES, MEMORY_ALIGNMENT));

  private final int alignment;
  private final long memoryMask;

  /**
   * Aligned writes share it; a write of part of a block, or one that makes the file longer, has it
   * alone, so that no write between its read and its write is undone.
   */
  private final StampedLock blocks = new StampedLock();

  /** Over {@code below}, keeping to the alignment of its {@link Limits}. */
  public AlignedNode(BlockNode below) {
    super(below);
    this.alignment = below.limits().alignment();
    this.memoryMask = below.limits().memoryAlignment() - 1L;
  }

  @Override
  public String driver() {
    return below().driver();
  }

  @Override
  public Limits limits() {
    Limits hard = below().limits();
    return new Limits(1, 1, hard.preferred(), hard.discardUnit());
  }

  private boolean whole(long offset, long length) {
    return ((offset | length) & (alignment - 1)) == 0;
  }

  private boolean fits(MemorySegment buffer, long offset) {
    return whole(offset, buffer.byteSize()) && (buffer.address() & memoryMask) == 0;
  }

  private boolean fits(MemorySegment[] buffers, long offset) {
    for (MemorySegment buffer : buffers) {
      if (!fits(buffer, offset)) {
        return false;
      }
    }
    return true;
  }

  /** Nothing is that long; rounding such a range up would wrap. */
  private void checkRange(long offset, long length) throws BlockFault {
    if (offset < 0 || length < 0 || length > Long.MAX_VALUE - offset - alignment) {
      throw new BlockFault(Errno.EINVAL, "no disk has " + length + " bytes at " + offset);
    }
  }

  private static MemorySegment bounce(long bytes) {
    return BOUNCE.get().asSlice(0, bytes);
  }

  @Override
  public void read(MemorySegment into, long offset) throws BlockFault {
    if (fits(into, offset)) {
      below().read(into, offset);
      return;
    }
    checkRange(offset, into.byteSize());
    long done = 0;
    while (done < into.byteSize()) {
      long at = offset + done;
      long start = Ranges.alignDown(at, alignment);
      long skip = at - start;
      long bytes = Math.min(into.byteSize() - done, BOUNCE_BYTES - skip);
      MemorySegment buffer = bounce(Ranges.alignUp(skip + bytes, alignment));
      below().read(buffer, start);
      MemorySegment.copy(buffer, skip, into, done, bytes);
      done += bytes;
    }
  }

  @Override
  public void read(MemorySegment[] into, long offset) throws BlockFault {
    if (fits(into, offset)) {
      below().read(into, offset);
      return;
    }
    long at = offset;
    for (MemorySegment piece : into) {
      read(piece, at);
      at += piece.byteSize();
    }
  }

  @Override
  public boolean readNow(MemorySegment into, long offset) throws BlockFault {
    return fits(into, offset) && below().readNow(into, offset);
  }

  @Override
  public boolean writeNow(MemorySegment from, long offset, int flags) {
    return false;
  }

  @Override
  public void write(MemorySegment from, long offset, int flags) throws BlockFault {
    write(new MemorySegment[] {from}, offset, flags);
  }

  @Override
  public void write(MemorySegment[] from, long offset, int flags) throws BlockFault {
    if (fits(from, offset)) {
      long stamp = blocks.readLock();
      try {
        below().write(from, offset, flags);
      } finally {
        blocks.unlockRead(stamp);
      }
      return;
    }
    checkRange(offset, from.length);
    // The whole request holds the lock, for two that overlap must not mix within a block.
    long stamp = blocks.writeLock();
    try {
      long at = offset;
      for (MemorySegment piece : from) {
        writeInPart(piece, at, flags);
        at += piece.byteSize();
      }
    } finally {
      blocks.unlockWrite(stamp);
    }
  }

  private void writeInPart(MemorySegment from, long offset, int flags) throws BlockFault {
    long size = below().length();
    long done = 0;
    while (done < from.byteSize()) {
      long at = offset + done;
      long start = Ranges.alignDown(at, alignment);
      long skip = at - start;
      long bytes = Math.min(from.byteSize() - done, BOUNCE_BYTES - skip);
      MemorySegment buffer = bounce(Ranges.alignUp(skip + bytes, alignment));
      if (skip > 0) {
        below().event(BlkdebugEvent.PWRITEV_RMW_HEAD);
        below().read(buffer.asSlice(0, alignment), start);
        below().event(BlkdebugEvent.PWRITEV_RMW_AFTER_HEAD);
      }
      long last = buffer.byteSize() - alignment;
      if (skip + bytes < buffer.byteSize() && (last > 0 || skip == 0)) {
        below().event(BlkdebugEvent.PWRITEV_RMW_TAIL);
        below().read(buffer.asSlice(last, alignment), start + last);
        below().event(BlkdebugEvent.PWRITEV_RMW_AFTER_TAIL);
      }
      MemorySegment.copy(from, done, buffer, skip, bytes);
      below().write(buffer, start, flags);
      done += bytes;
    }
    cutBack(Math.max(size, offset + from.byteSize()));
  }

  /** A file whose end is not aligned must not grow by the rest of a block. */
  private void cutBack(long size) throws BlockFault {
    if (below().length() > size) {
      below().resize(size, Preallocation.OFF);
    }
  }

  @Override
  public @Nullable DirectFile directFile() {
    DirectFile file = below().directFile();
    return file == null ? null : new SharedFile(file, blocks);
  }

  /** Writes to the file share the lock that a write of part of a block has alone. */
  private record SharedFile(DirectFile file, StampedLock blocks) implements DirectFile {
    @Override
    public int descriptor() {
      return file.descriptor();
    }

    @Override
    public Limits limits() {
      return file.limits();
    }

    @Override
    public int writeFlags(int flags) {
      return file.writeFlags(flags);
    }

    @Override
    public long beginWrite() {
      return blocks.tryReadLock();
    }

    @Override
    public void endWrite(long stamp) {
      blocks.unlockRead(stamp);
    }
  }

  @Override
  public void writeZeroes(long offset, long length, int flags) throws BlockFault {
    if (whole(offset, length)) {
      below().writeZeroes(offset, length, flags);
      return;
    }
    checkRange(offset, length);
    long first = Math.min(Ranges.alignUp(offset, alignment), offset + length);
    long last = Math.max(Ranges.alignDown(offset + length, alignment), first);
    zeroPart(offset, first - offset, flags);
    if (last > first) {
      below().writeZeroes(first, last - first, flags);
    }
    zeroPart(last, offset + length - last, flags);
  }

  private void zeroPart(long offset, long length, int flags) throws BlockFault {
    if (length > 0) {
      write(ZeroBytes.SOURCE.asSlice(0, length), offset, flags & FUA);
    }
  }

  @Override
  public void discard(long offset, long length) throws BlockFault {
    checkRange(offset, length);
    long first = Ranges.alignUp(offset, alignment);
    long last = Ranges.alignDown(offset + length, alignment);
    if (last > first) {
      below().discard(first, last - first);
    }
  }

  @Override
  public long copyTo(long offset, BlockNode target, long targetOffset, long length)
      throws BlockFault {
    return whole(offset, length) ? below().copyTo(offset, target, targetOffset, length) : 0;
  }

  @Override
  public long copyFrom(BlockNode source, long sourceOffset, long offset, long length)
      throws BlockFault {
    return whole(offset, length) ? below().copyFrom(source, sourceOffset, offset, length) : 0;
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
