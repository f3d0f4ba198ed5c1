package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.block.BlkdebugEvent;
import hawser.block.BlockNode;
import hawser.block.Preallocation;
import java.lang.foreign.MemorySegment;

/**
 * A file that an image lies in, as qcow2 wants it: reads past its end give zeroes, and it grows
 * before it is written past its end. Safe from any thread; growth is serialised here.
 */
final class HostFile {
  /** Growing goes in steps of this, so that not every new cluster costs a call. */
  private static final long GROWTH_BYTES = 4L << 20;

  private final BlockNode node;
  private final boolean growsInSteps;
  private volatile long end;

  HostFile(BlockNode node, boolean growsInSteps) throws BlockFault {
    this.node = node;
    this.growsInSteps = growsInSteps;
    this.end = node.length();
  }

  BlockNode node() {
    return node;
  }

  /** Bytes, as far as this image knows; nobody else may change it. */
  long length() {
    return end;
  }

  /** As {@link BlockNode#event}. */
  void event(BlkdebugEvent event) throws BlockFault {
    node.event(event);
  }

  /** Fills {@code into}; what lies past the end of the file reads as zeroes. */
  void read(MemorySegment into, long at) throws BlockFault {
    long there = end - at;
    if (there >= into.byteSize()) {
      node.read(into, at);
    } else if (there <= 0) {
      into.fill((byte) 0);
    } else {
      node.read(into.asSlice(0, there), at);
      into.asSlice(there).fill((byte) 0);
    }
  }

  /** As {@link BlockNode#readNow}; false past the end of the file. */
  boolean readNow(MemorySegment into, long at) throws BlockFault {
    return Ranges.contains(end, at, into.byteSize()) && node.readNow(into, at);
  }

  /** Writes, growing the file when that is needed. */
  void write(MemorySegment from, long at, int flags) throws BlockFault {
    grow(at + from.byteSize());
    node.write(from, at, flags);
  }

  /** Writes the pieces one after the other, growing the file when that is needed. */
  void write(MemorySegment[] from, long at, int flags) throws BlockFault {
    long last = at;
    for (MemorySegment piece : from) {
      last += piece.byteSize();
    }
    grow(last);
    node.write(from, at, flags);
  }

  /** As {@link BlockNode#writeNow}; false past the end of the file. */
  boolean writeNow(MemorySegment from, long at, int flags) throws BlockFault {
    return Ranges.contains(end, at, from.byteSize()) && node.writeNow(from, at, flags);
  }

  /** Zeroes a range, growing the file when that is needed. */
  void writeZeroes(long at, long bytes, int flags) throws BlockFault {
    grow(at + bytes);
    node.writeZeroes(at, bytes, flags);
  }

  /** Makes the file at least that long; new bytes read as zeroes. */
  void grow(long wanted) throws BlockFault {
    if (wanted > end) {
      growNow(wanted);
    }
  }

  private synchronized void growNow(long wanted) throws BlockFault {
    if (wanted > end) {
      long target = growsInSteps ? Ranges.alignUp(wanted, GROWTH_BYTES) : wanted;
      try {
        node.resize(target, Preallocation.OFF);
      } catch (BlockFault fault) {
        throw fault.errno() == Errno.EOPNOTSUPP
            ? BlockFault.of(Errno.ENOSPC, "Could not grow '" + node.name() + "'")
            : fault;
      }
      end = target;
    }
  }

  /** Sets the length exactly. */
  synchronized void resize(long newLength, Preallocation preallocation) throws BlockFault {
    node.resize(newLength, preallocation);
    end = newLength;
  }
}
