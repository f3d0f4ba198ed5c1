package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.block.BlkdebugEvent;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.L2Entry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Writes compressed clusters. Compression happens in the caller's thread before any lock is taken,
 * so that as many clusters are compressed at once as there are callers. Compressed data is packed:
 * it starts at the byte where the last one ended, in the same host cluster if there is room.
 */
final class CompressedWriter implements AutoCloseable {
  private final Writing writing;
  private final Image image;
  private final Geometry geometry;
  private final Compressor compressor;

  CompressedWriter(Writing writing) {
    this.writing = writing;
    this.image = writing.image;
    this.geometry = image.geometry;
    this.compressor = new Compressor(image.header().compressionType());
  }

  /** Writes whole clusters; the last one of the disk may be cut. */
  void write(MemorySegment from, long guest) throws BlockFault {
    if (geometry.dataFile()) {
      throw BlockFault.of(Errno.EOPNOTSUPP, "an external data file holds nothing compressed");
    }
    long end = guest + from.byteSize();
    if (geometry.inCluster(guest) != 0
        || (geometry.inCluster(end) != 0 && end != image.header().size())) {
      throw BlockFault.of(Errno.EINVAL, "compressed data must be whole clusters");
    }
    int cluster = geometry.clusterBytes();
    try (var arena = Arena.ofConfined()) {
      MemorySegment packed = arena.allocate(cluster, 512);
      for (long at = guest; at < end; at += cluster) {
        MemorySegment one = from.asSlice(at - guest, Math.min(cluster, end - at));
        MemorySegment whole = one;
        if (one.byteSize() < cluster) {
          whole = arena.allocate(cluster, 512);
          MemorySegment.copy(one, 0, whole, 0, one.byteSize());
        }
        // One byte less than a cluster, or storing it as it is costs no more.
        int bytes = compressor.compress(whole, packed.asSlice(0, cluster - 1));
        if (bytes == 0) {
          writing.writer.write(one, at);
        } else {
          write(packed.asSlice(0, bytes), at, cluster);
        }
      }
    }
  }

  private void write(MemorySegment packed, long guest, int cluster) throws BlockFault {
    int bytes = (int) packed.byteSize();
    UnderWay.Range range;
    long at;
    writing.mutex.lock();
    try {
      writing.underWay.waitFor(guest, guest + cluster);
      int slot = writing.l2Tables.writableSlot(guest);
      refuseAllocated(writing.l2Tables.entry(slot, guest));
      writing.beginAllocating();
      at = take(bytes);
      range = writing.underWay.begin(guest, guest + cluster);
    } finally {
      writing.mutex.unlock();
    }
    boolean linked = false;
    try {
      image.file.event(BlkdebugEvent.WRITE_COMPRESSED);
      image.file.write(packed, at, 0);
      writing.mutex.lock();
      try {
        int slot = writing.l2Tables.writableSlot(guest);
        image.file.event(BlkdebugEvent.L2_UPDATE_COMPRESSED);
        long old = writing.l2Tables.entry(slot, guest);
        writing.l2Tables.set(slot, guest, geometry.compressedEntry(at, bytes), 0);
        linked = true;
        writing.writer.free(old);
      } finally {
        writing.mutex.unlock();
      }
    } finally {
      writing.mutex.lock();
      try {
        writing.underWay.end(range);
        if (!linked) {
          writing.freed.addCompressed(geometry.compressedEntry(at, bytes));
        }
      } finally {
        writing.mutex.unlock();
      }
    }
  }

  /** Compression does not overwrite, as in QEMU; zeroes without room may be replaced. */
  private static void refuseAllocated(long entry) throws BlockFault {
    if ((entry & ~L2Entry.ZERO) != 0) {
      throw BlockFault.of(Errno.EIO, "the cluster is allocated already");
    }
  }

  /**
   * Takes room for that many bytes and counts the reference to each host cluster it touches. Needs
   * the mutex.
   */
  private long take(int bytes) throws BlockFault {
    image.file.event(BlkdebugEvent.CLUSTER_ALLOC_BYTES);
    int cluster = geometry.clusterBytes();
    long freeFrom = writing.allocator.packedEnd();
    long room = freeFrom == 0 ? 0 : Ranges.alignUp(freeFrom, cluster) - freeFrom;
    long last = (freeFrom - 1) >>> geometry.clusterBits();
    if (room > 0 && !shareable(last)) {
      room = 0;
    }
    long at;
    if (bytes <= room) {
      at = freeFrom;
      writing.refcounts.increment(last);
    } else {
      Allocator.Taken taken = writing.allocator.takeAll(1, "compressed cluster");
      at = taken.first() << geometry.clusterBits();
      if (room > 0 && taken.first() == last + 1) {
        at = freeFrom;
        writing.refcounts.increment(last);
      }
    }
    long entry = geometry.compressedEntry(at, bytes);
    if (geometry.compressedOffset(entry) != at) {
      throw BlockFault.of(Errno.EFBIG, "no offset is left for compressed data");
    }
    writing.allocator.packedEnd(at + bytes);
    return at;
  }

  /** Whether one more reference to the cluster can be counted. */
  private boolean shareable(long cluster) throws BlockFault {
    return writing.refcounts.get(cluster) != geometry.refcountMax();
  }

  @Override
  public void close() {
    compressor.close();
  }
}
