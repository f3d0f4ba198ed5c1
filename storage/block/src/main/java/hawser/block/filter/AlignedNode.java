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
   * A write of part of a block has its blocks alone, so that no change between its read and its
   * write is undone; changes of whole blocks share theirs.
   */
  private final WriteRanges changing = new WriteRanges();

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
    long length = 0;
    for (MemorySegment piece : from) {
      length += piece.byteSize();
    }
    if (fits(from, offset)) {
      long number = changing.enter(offset, offset + length, false);
      try {
        below().write(from, offset, flags);
      } finally {
        changing.leave(number);
      }
      return;
    }
    checkRange(offset, length);
    // The whole request has its blocks, for two that overlap must not mix within a block.
    long number = enterAlone(offset, length);
    try {
      long at = offset;
      for (MemorySegment piece : from) {
        writeInPart(piece, at, flags);
        at += piece.byteSize();
      }
    } finally {
      changing.leave(number);
    }
  }

  /**
   * Has the blocks of a range alone; where they reach beyond the end, all that may follow, for the
   * file grows by a whole block and is cut back, and nothing must be lost behind the cut.
   */
  private long enterAlone(long offset, long length) throws BlockFault {
    long start = Ranges.alignDown(offset, alignment);
    long end = Ranges.alignUp(offset + length, alignment);
    if (end <= below().length()) {
      long number = changing.enter(start, end, true);
      // Another may have been in the middle of such a growth, and the end come nearer since.
      if (end <= below().length()) {
        return number;
      }
      changing.leave(number);
    }
    return changing.enter(start, Long.MAX_VALUE, true);
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
    return file == null ? null : new SharedFile(file, changing);
  }

  /** Writes to the file are announced like those that come through the node. */
  private record SharedFile(DirectFile file, WriteRanges changing) implements DirectFile {
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
    public long beginWrite(long offset, long length) {
      return changing.tryEnter(offset, offset + length);
    }

    @Override
    public void endWrite(long number) {
      changing.leave(number);
    }
  }

  @Override
  public void writeZeroes(long offset, long length, int flags) throws BlockFault {
    checkRange(offset, length);
    long first = Math.min(Ranges.alignUp(offset, alignment), offset + length);
    long last = Math.max(Ranges.alignDown(offset + length, alignment), first);
    zeroPart(offset, first - offset, flags);
    if (last > first) {
      long number = changing.enter(first, last, false);
      try {
        below().writeZeroes(first, last - first, flags);
      } finally {
        changing.leave(number);
      }
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
      long number = changing.enter(first, last, false);
      try {
        below().discard(first, last - first);
      } finally {
        changing.leave(number);
      }
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
    if (!whole(offset, length)) {
      return 0;
    }
    checkRange(offset, length);
    long number = changing.enter(offset, offset + length, false);
    try {
      return below().copyFrom(source, sourceOffset, offset, length);
    } finally {
      changing.leave(number);
    }
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
