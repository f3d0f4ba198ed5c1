package hawser.nbd.server;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.nbd.CommandFlags;
import java.lang.foreign.MemorySegment;

/** What the commands of the protocol mean to a node. Blocks; safe from any thread. */
record NodeCalls(BlockNode node) {
  void write(MemorySegment from, long offset, int flags) throws BlockFault {
    if (from.byteSize() > 0) {
      node.write(from, offset, writeFlags(flags));
    } else if ((flags & CommandFlags.FUA) != 0) {
      node.flush();
    }
  }

  static int writeFlags(int flags) {
    return (flags & CommandFlags.FUA) != 0 ? BlockNode.FUA : 0;
  }

  void flush() throws BlockFault {
    node.flush();
  }

  void trim(long offset, long length, int flags) throws BlockFault {
    if (length > 0) {
      node.discard(offset, length);
    }
    if ((flags & CommandFlags.FUA) != 0) {
      node.flush();
    }
  }

  void writeZeroes(long offset, long length, int flags) throws BlockFault {
    int how =
        writeFlags(flags)
            | ((flags & CommandFlags.NO_HOLE) != 0 ? 0 : BlockNode.MAY_UNMAP)
            | ((flags & CommandFlags.FAST_ZERO) != 0 ? BlockNode.NO_FALLBACK : 0);
    if (length > 0) {
      node.writeZeroes(offset, length, how);
    } else if ((flags & CommandFlags.FUA) != 0) {
      node.flush();
    }
  }

  /** Reads a range and forgets it, so that caches underneath have it. */
  void cache(MemorySegment scratch, long offset, long length) throws BlockFault {
    long piece = scratch.byteSize();
    for (long done = 0; done < length; done += piece) {
      node.read(scratch.asSlice(0, Math.min(piece, length - done)), offset + done);
    }
  }
}
