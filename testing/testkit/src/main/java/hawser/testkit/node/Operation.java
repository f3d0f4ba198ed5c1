package hawser.testkit.node;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.block.Preallocation;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/** One thing that was done to a disk and that a crash may or may not keep. */
public sealed interface Operation {
  /** The unit that a disk writes whole or not at all. */
  int SECTOR_BYTES = 512;

  /**
   * Bytes were written.
   *
   * @param offset first byte
   * @param data what was written; do not change it
   * @param durable whether the call itself promised durability (FUA)
   */
  @SuppressWarnings("ArrayRecordComponent")
  record Write(long offset, byte[] data, boolean durable) implements Operation {
    /** How many sectors it touches. */
    public int sectors() {
      long first = offset / SECTOR_BYTES;
      long last = (offset + data.length - 1) / SECTOR_BYTES;
      return data.length == 0 ? 0 : (int) (last - first + 1);
    }

    /** Does the part of it that lies in the chosen sectors, counted from its first. */
    public void applyTorn(BlockNode node, BitSet sectors) throws BlockFault {
      long firstSector = offset / SECTOR_BYTES;
      for (int i = sectors.nextSetBit(0); i >= 0; i = sectors.nextSetBit(i + 1)) {
        long from = Math.max(offset, (firstSector + i) * SECTOR_BYTES);
        long to = Math.min(offset + data.length, (firstSector + i + 1) * SECTOR_BYTES);
        write(node, from, (int) (from - offset), (int) (to - from));
      }
    }

    private void write(BlockNode node, long at, int from, int bytes) throws BlockFault {
      try (var arena = Arena.ofConfined()) {
        MemorySegment buffer = arena.allocate(Math.max(bytes, 1), SECTOR_BYTES);
        MemorySegment.copy(MemorySegment.ofArray(data), from, buffer, 0, bytes);
        node.write(buffer.asSlice(0, bytes), at, 0);
      }
    }

    @Override
    public void apply(BlockNode node) throws BlockFault {
      write(node, offset, 0, data.length);
    }
  }

  /** A range was made zero. */
  record Zero(long offset, long length, boolean durable) implements Operation {
    @Override
    public void apply(BlockNode node) throws BlockFault {
      node.writeZeroes(offset, length, BlockNode.MAY_UNMAP);
    }
  }

  /** A range was given back; afterwards it reads as it did or as zeroes. */
  record Discard(long offset, long length) implements Operation {
    @Override
    public void apply(BlockNode node) throws BlockFault {
      node.discard(offset, length);
    }
  }

  /** The length was changed. */
  record Resize(long length) implements Operation {
    @Override
    public void apply(BlockNode node) throws BlockFault {
      node.resize(length, Preallocation.OFF);
    }
  }

  /** Everything before it is durable. */
  record Flush() implements Operation {
    @Override
    public void apply(BlockNode node) throws BlockFault {
      node.flush();
    }
  }

  /** Does it again to another disk, whole. */
  void apply(BlockNode node) throws BlockFault;
}
