package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.base.Ranges;
import hawser.block.BlkdebugEvent;
import hawser.block.format.qcow2.layout.Geometry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Writes the data of an allocation together with what has to be kept around it: the rest of its
 * first and last cluster, or subcluster, goes in front and behind in the same request.
 */
final class CopyOnWrite {
  private final Image image;
  private final Geometry geometry;

  CopyOnWrite(Image image) {
    this.image = image;
    this.geometry = image.geometry;
  }

  void write(Allocation allocation, MemorySegment data) throws BlockFault {
    long start = Ranges.alignDown(allocation.guest(), geometry.clusterBytes());
    long end = allocation.guest() + allocation.bytes();
    long keepFrom = keepFrom(allocation.guest());
    long keepTo = keepTo(end);
    Run run = new Run();
    boolean head =
        keepFrom < allocation.guest() && !skip(allocation, run, keepFrom, allocation.guest());
    boolean tail = end < keepTo && !skip(allocation, run, end, keepTo);
    image.file.event(BlkdebugEvent.WRITE_AIO);
    if (head || tail) {
      // One request does both, and QEMU announces both.
      image.file.event(BlkdebugEvent.COW_WRITE);
    } else {
      image.data.write(data, allocation.host() + allocation.guest() - start, 0);
      return;
    }
    try (var arena = Arena.ofConfined()) {
      MemorySegment before = head ? kept(arena, keepFrom, allocation.guest()) : arena.allocate(0);
      MemorySegment after = tail ? kept(arena, end, keepTo) : arena.allocate(0);
      MemorySegment[] pieces =
          head && tail
              ? new MemorySegment[] {before, data, after}
              : head ? new MemorySegment[] {before, data} : new MemorySegment[] {data, after};
      long first = head ? keepFrom : allocation.guest();
      image.data.write(pieces, allocation.host() + first - start, 0);
    }
  }

  /** Where what must be kept begins, in front of a write that begins at {@code guest}. */
  private long keepFrom(long guest) throws BlockFault {
    long cluster = Ranges.alignDown(guest, geometry.clusterBytes());
    if (!geometry.extendedL2()) {
      return cluster;
    }
    // A stored subcluster of a cluster that moves must move with it; others keep their own bits.
    long subcluster = Ranges.alignDown(guest, 1L << geometry.subclusterBits());
    return moves(cluster) ? cluster : subcluster;
  }

  /** Where what must be kept ends, behind a write that ends at {@code end}. */
  private long keepTo(long end) throws BlockFault {
    long cluster = Ranges.alignUp(end, geometry.clusterBytes());
    if (!geometry.extendedL2()) {
      return cluster;
    }
    long subcluster = Ranges.alignUp(end, 1L << geometry.subclusterBits());
    return moves(cluster - geometry.clusterBytes()) ? cluster : subcluster;
  }

  /** Whether the cluster is stored now, in a place that the allocation replaces. */
  private boolean moves(long cluster) throws BlockFault {
    Run run = new Run();
    image.tables.lookup(run, cluster, geometry.clusterBytes());
    if (run.kind == Run.Kind.COMPRESSED) {
      return true;
    }
    return run.kind.hasHost() && !run.copied;
  }

  /** Whether a range reads as zeroes and will go on doing so without being written. */
  private boolean skip(Allocation allocation, Run run, long from, long to) throws BlockFault {
    if (!allocation.fresh()) {
      return false;
    }
    long at = from;
    while (at < to) {
      image.tables.lookup(run, at, to - at);
      boolean nothing = run.kind.unallocated() && nothingBelow(at);
      if (!nothing && !run.kind.zero()) {
        return false;
      }
      at += run.length;
    }
    return true;
  }

  private boolean nothingBelow(long guest) throws BlockFault {
    return image.backing == null || guest >= image.backing.length();
  }

  private MemorySegment kept(Arena arena, long from, long to) throws BlockFault {
    MemorySegment room = arena.allocate(to - from, 4096);
    long inside = Math.min(to, image.header().size()) - from;
    if (inside > 0) {
      image.file.event(BlkdebugEvent.COW_READ);
      image.reader.read(room.asSlice(0, inside), from);
    }
    return room;
  }
}
