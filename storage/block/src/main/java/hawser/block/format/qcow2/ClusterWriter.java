package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.base.Ranges;
import hawser.block.BlkdebugEvent;
import hawser.block.ZeroBytes;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.L2Entry;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Writes data: in place where clusters are allocated and not shared, else by allocating, writing
 * with the copied surroundings, and linking.
 */
final class ClusterWriter {
  private final Writing writing;
  private final Image image;
  private final Geometry geometry;
  private final Tables tables;
  private final UnderWay underWay;
  private final CopyOnWrite copyOnWrite;
  private final ThreadLocal<Run> runs = ThreadLocal.withInitial(Run::new);

  ClusterWriter(Writing writing) {
    this.writing = writing;
    this.image = writing.image;
    this.geometry = image.geometry;
    this.tables = image.tables;
    this.underWay = writing.underWay;
    this.copyOnWrite = new CopyOnWrite(image);
  }

  /** Writes all of {@code from}; the range lies inside the disk. */
  void write(MemorySegment from, long guest) throws BlockFault {
    Run run = runs.get();
    long total = from.byteSize();
    long done = 0;
    while (done < total) {
      int ticket = image.epochs.enter();
      try {
        tables.lookup(run, guest + done, total - done);
        if (run.kind == Run.Kind.DATA && run.copied) {
          long length = run.length;
          writeInPlace(run.host, part(from, done, length));
          done += length;
          continue;
        }
      } finally {
        image.epochs.leave(ticket);
      }
      done += allocate(guest + done, total - done, from.asSlice(done));
    }
  }

  /**
   * Gives the whole clusters of a range their places; what they read until written is undefined.
   */
  void reserve(long guest, long length) throws BlockFault {
    Run run = runs.get();
    long at = Ranges.alignUp(guest, geometry.clusterBytes());
    long end = Ranges.alignDown(guest + length, geometry.clusterBytes());
    while (at < end) {
      int ticket = image.epochs.enter();
      try {
        tables.lookup(run, at, end - at);
      } finally {
        image.epochs.leave(ticket);
      }
      at += run.kind == Run.Kind.DATA && run.copied ? run.length : allocate(at, end - at, null);
    }
  }

  private static MemorySegment part(MemorySegment whole, long at, long length) {
    return at == 0 && length == whole.byteSize() ? whole : whole.asSlice(at, length);
  }

  private void writeInPlace(long host, MemorySegment from) throws BlockFault {
    if (image.data == image.file) {
      writing.overlaps.check(host, from.byteSize(), null);
    }
    image.file.event(BlkdebugEvent.WRITE_AIO);
    image.data.write(from, host, 0);
  }

  /** Writes if that needs no allocation and the file can take it at once. */
  boolean writeNow(MemorySegment from, long guest) throws BlockFault {
    Run run = runs.get();
    int ticket = image.epochs.enter();
    try {
      long total = from.byteSize();
      if (!tables.lookupCached(run, guest, total)
          || run.kind != Run.Kind.DATA
          || !run.copied
          || run.length < total) {
        return false;
      }
      if (image.data == image.file) {
        writing.overlaps.check(run.host, total, null);
      }
      return image.data.writeNow(from, run.host, 0);
    } finally {
      image.epochs.leave(ticket);
    }
  }

  /**
   * Allocates from the front of the range, and writes as much as that covers unless {@code from} is
   * null.
   *
   * @return how many bytes were covered; 0 when another request changed the tables meanwhile
   */
  private long allocate(long guest, long max, @Nullable MemorySegment from) throws BlockFault {
    Allocation allocation;
    writing.mutex.lock();
    try {
      allocation = begin(guest, max);
      if (allocation == null) {
        return 0;
      }
    } finally {
      writing.mutex.unlock();
    }
    boolean linked = false;
    try {
      if (from != null) {
        copyOnWrite.write(allocation, from.asSlice(0, allocation.bytes()));
      }
      writing.mutex.lock();
      try {
        link(allocation);
        linked = true;
        writing.reclaimIfMany();
      } finally {
        underWay.end(allocation.range());
        writing.mutex.unlock();
      }
    } finally {
      if (!linked) {
        abandon(allocation);
      }
    }
    return allocation.bytes();
  }

  /** Reserves clusters for the front of the range; null when the caller has to look again. */
  private @Nullable Allocation begin(long guest, long max) throws BlockFault {
    int cluster = geometry.clusterBytes();
    long start = Ranges.alignDown(guest, cluster);
    if (underWay.waitFor(start, start + cluster)) {
      return null;
    }
    long limit = Math.min(guest + max, writing.l2Tables.sliceEnd(guest));
    limit = underWay.freeUntil(start, limit);
    Run run = runs.get();
    tables.lookupLocked(run, guest, limit - guest);
    if (run.kind == Run.Kind.DATA && run.copied) {
      return null;
    }
    boolean reuse = reusable(run);
    long end = extend(run, reuse, guest, limit);
    long clusters = geometry.clustersFor(end - start);
    writing.l2Tables.ensureOwn(guest);
    long host;
    int count = (int) clusters;
    boolean fresh = false;
    if (reuse || geometry.dataFile()) {
      host = geometry.dataFile() ? start : run.host - geometry.inCluster(guest);
    } else {
      writing.beginAllocating();
      Allocator.Taken taken = writing.allocator.takeUpTo(count);
      host = taken.first() << geometry.clusterBits();
      count = taken.count();
      fresh = taken.fresh();
    }
    long covered = start + ((long) count << geometry.clusterBits());
    return new Allocation(
        guest,
        Math.min(end, covered) - guest,
        host,
        count,
        reuse,
        fresh,
        underWay.begin(start, covered));
  }

  /** Whether the cluster of this run is there already and only has to be filled. */
  private static boolean reusable(Run run) {
    return run.copied
        && (run.kind == Run.Kind.ZERO_RESERVED || run.kind == Run.Kind.UNALLOCATED_RESERVED);
  }

  /** How far clusters go on that are to be treated like the first; at most to {@code limit}. */
  private long extend(Run run, boolean reuse, long guest, long limit) throws BlockFault {
    int cluster = geometry.clusterBytes();
    long base = run.host - geometry.inCluster(guest);
    long start = Ranges.alignDown(guest, cluster);
    long next = start + cluster;
    Run following = new Run();
    while (next < limit) {
      tables.lookupLocked(following, next, limit - next);
      boolean same =
          reuse
              ? reusable(following) && following.host == base + (next - start)
              : !reusable(following) && !(following.kind == Run.Kind.DATA && following.copied);
      if (!same) {
        break;
      }
      next += cluster;
    }
    return Math.min(next, limit);
  }

  private void link(Allocation allocation) throws BlockFault {
    long start = Ranges.alignDown(allocation.guest(), geometry.clusterBytes());
    L2Tables l2 = writing.l2Tables;
    image.file.event(BlkdebugEvent.L2_UPDATE);
    for (int i = 0; i < allocation.clusters(); i++) {
      long guest = start + ((long) i << geometry.clusterBits());
      int slot = l2.writableSlot(guest);
      long old = l2.entry(slot, guest);
      long oldBitmap = l2.bitmap(slot, guest);
      long host = allocation.host() + ((long) i << geometry.clusterBits());
      l2.set(slot, guest, host | L2Entry.COPIED, bitmap(allocation, guest, old, oldBitmap));
      if (!allocation.reuse()) {
        free(old);
      }
    }
  }

  /** Which subclusters are stored after the write: those written, and those that were before. */
  private long bitmap(Allocation allocation, long guest, long old, long oldBitmap) {
    if (!geometry.extendedL2()) {
      return 0;
    }
    if ((old & L2Entry.COMPRESSED) != 0) {
      return L2Entry.SUB_ALLOCATED;
    }
    int bits = geometry.subclusterBits();
    long end = Math.min(geometry.clusterBytes(), allocation.guest() + allocation.bytes() - guest);
    long from = Math.max(0, allocation.guest() - guest) >>> bits;
    long last = (end - 1) >>> bits;
    long written = ((1L << (last - from + 1)) - 1) << from;
    long allocated = (oldBitmap & L2Entry.SUB_ALLOCATED) | written;
    long zero = (oldBitmap >>> 32) & ~written;
    return allocated | (zero << 32);
  }

  /** Gives back what an entry pointed to. */
  void free(long entry) {
    if ((entry & L2Entry.COMPRESSED) != 0) {
      writing.freed.addCompressed(entry);
    } else if ((entry & L2Entry.OFFSET_MASK) != 0 && !geometry.dataFile()) {
      writing.freed.add(entry & L2Entry.OFFSET_MASK);
    }
  }

  /** Nothing points to the clusters: their refcounts go down again. */
  private void abandon(Allocation allocation) throws BlockFault {
    writing.mutex.lock();
    try {
      underWay.end(allocation.range());
      if (!allocation.reuse() && !geometry.dataFile()) {
        for (int i = 0; i < allocation.clusters(); i++) {
          writing.freed.add(allocation.host() + ((long) i << geometry.clusterBits()));
        }
      }
    } finally {
      writing.mutex.unlock();
    }
  }

  /** Writes zeroes as data, where nothing cheaper will do. */
  void writeZeroBytes(long guest, long bytes) throws BlockFault {
    long at = guest;
    long end = guest + bytes;
    while (at < end) {
      long step = Math.min(end - at, ZeroBytes.SOURCE_BYTES);
      write(ZeroBytes.SOURCE.asSlice(0, step), at);
      at += step;
    }
  }
}
