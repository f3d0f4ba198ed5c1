package hawser.block.convert;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.block.BlockNode;
import hawser.block.Extent;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Several disks one after the other, to read. Each begins at a multiple of 512 bytes; the gap after
 * one of odd length reads as zeroes.
 */
public final class ConcatNode implements BlockNode {
  private static final int SECTOR = 512;

  private final List<BlockNode> parts;
  private final long[] starts;

  /** The disks in order, at least one; closing closes them all. */
  public ConcatNode(List<BlockNode> parts) throws BlockFault {
    this.parts = List.copyOf(parts);
    this.starts = new long[parts.size() + 1];
    for (int i = 0; i < parts.size(); i++) {
      long rounded = Ranges.alignUp(parts.get(i).length(), SECTOR);
      if (rounded > Long.MAX_VALUE - starts[i]) {
        throw new BlockFault(Errno.EFBIG, "the disks together are longer than 2^63-1 bytes");
      }
      starts[i + 1] = starts[i] + rounded;
    }
  }

  @Override
  public String name() {
    return parts.getFirst().name();
  }

  @Override
  public String driver() {
    return parts.getFirst().driver();
  }

  @Override
  public long length() {
    return starts[parts.size()];
  }

  @Override
  public boolean readOnly() {
    return true;
  }

  @Override
  public List<BlockNode> children() {
    return parts;
  }

  @Override
  public void read(MemorySegment into, long offset) throws BlockFault {
    long done = 0;
    while (done < into.byteSize()) {
      int part = partAt(offset + done);
      long within = offset + done - starts[part];
      long end = Math.min(into.byteSize() - done, starts[part + 1] - starts[part] - within);
      long stored = Math.clamp(parts.get(part).length() - within, 0, end);
      if (stored > 0) {
        parts.get(part).read(into.asSlice(done, stored), within);
      }
      into.asSlice(done + stored, end - stored).fill((byte) 0);
      done += end;
    }
  }

  @Override
  public Extent extent(long offset, long length) throws BlockFault {
    int part = partAt(offset);
    long within = offset - starts[part];
    long stored = parts.get(part).length() - within;
    if (stored <= 0) {
      return Extent.of(offset, Math.min(length, starts[part + 1] - offset), Extent.Kind.ZERO);
    }
    Extent found = parts.get(part).extent(within, Math.min(length, stored));
    return found.at(offset, found.length());
  }

  private int partAt(long offset) throws BlockFault {
    for (int i = 0; i < parts.size(); i++) {
      if (offset < starts[i + 1]) {
        return i;
      }
    }
    throw new BlockFault(Errno.EIO, "offset " + offset + " is past the end of the last disk");
  }

  @Override
  public void write(MemorySegment from, long offset, int flags) throws BlockFault {
    throw readOnlyFault();
  }

  @Override
  public void writeZeroes(long offset, long length, int flags) throws BlockFault {
    throw readOnlyFault();
  }

  @Override
  public void discard(long offset, long length) throws BlockFault {
    throw readOnlyFault();
  }

  private static BlockFault readOnlyFault() {
    return new BlockFault(Errno.EPERM, "several disks one after the other are read-only");
  }

  @Override
  public void flush() {}

  @Override
  public void close() throws BlockFault {
    for (BlockNode part : parts) {
      part.close();
    }
  }
}
