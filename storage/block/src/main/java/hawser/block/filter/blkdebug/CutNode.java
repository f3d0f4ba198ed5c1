package hawser.block.filter.blkdebug;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.BlockNode;
import hawser.block.NodeInfo;
import hawser.block.ZeroBytes;
import hawser.block.filter.FilterNode;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Cuts requests to the sizes that a blkdebug node was told to insist on. */
final class CutNode extends FilterNode {
  private final RequestSizes sizes;

  CutNode(BlockNode below, RequestSizes sizes) {
    super(below);
    this.sizes = sizes;
  }

  @Override
  public String driver() {
    return below().driver();
  }

  @Override
  public List<BlockNode> children() {
    return below().children();
  }

  @Override
  public NodeInfo info() throws BlockFault {
    return below().info();
  }

  @Override
  public void read(MemorySegment into, long offset) throws BlockFault {
    long done = 0;
    while (done < into.byteSize()) {
      long bytes =
          RequestSizes.piece(offset + done, into.byteSize() - done, 1, sizes.maxTransfer());
      below().read(into.asSlice(done, bytes), offset + done);
      done += bytes;
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

  @Override
  public void write(MemorySegment from, long offset, int flags) throws BlockFault {
    long done = 0;
    while (done < from.byteSize()) {
      long bytes =
          RequestSizes.piece(offset + done, from.byteSize() - done, 1, sizes.maxTransfer());
      below().write(from.asSlice(done, bytes), offset + done, flags);
      done += bytes;
    }
  }

  @Override
  public void write(MemorySegment[] from, long offset, int flags) throws BlockFault {
    long at = offset;
    for (MemorySegment piece : from) {
      write(piece, at, flags);
      at += piece.byteSize();
    }
  }

  @Override
  public void writeZeroes(long offset, long length, int flags) throws BlockFault {
    int unit = Math.max(sizes.zeroUnit(), sizes.align());
    long at = offset;
    long left = length;
    while (left > 0) {
      long bytes = RequestSizes.piece(at, left, unit, sizes.maxZero());
      if (bytes < unit) {
        writeAsData(at, bytes, flags);
      } else {
        below().writeZeroes(at, bytes, flags);
      }
      at += bytes;
      left -= bytes;
    }
  }

  private void writeAsData(long offset, long bytes, int flags) throws BlockFault {
    if ((flags & NO_FALLBACK) != 0) {
      throw BlockFault.of(Errno.EOPNOTSUPP, "zeroing less than a unit");
    }
    long done = 0;
    while (done < bytes) {
      long now = Math.min(bytes - done, ZeroBytes.SOURCE_BYTES);
      write(ZeroBytes.SOURCE.asSlice(0, now), offset + done, flags & FUA);
      done += now;
    }
  }

  @Override
  public void discard(long offset, long length) throws BlockFault {
    int unit = Math.max(sizes.discardUnit(), sizes.align());
    long at = offset;
    long left = length;
    while (left > 0) {
      long bytes = RequestSizes.piece(at, left, unit, sizes.maxDiscard());
      below().discard(at, bytes);
      at += bytes;
      left -= bytes;
    }
  }
}
