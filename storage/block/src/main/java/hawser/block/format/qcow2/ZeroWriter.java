package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.block.BlockNode;
import hawser.block.Extent;
import hawser.block.format.qcow2.layout.AutoclearFeature;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.L2Entry;

/**
 * Zeroes and discards by changing table entries. Whole clusters and subclusters get the zero flag;
 * what is left at the edges is written as data unless all of its unit reads as zeroes anyway.
 */
final class ZeroWriter {
  private final Writing writing;
  private final Image image;
  private final Geometry geometry;
  private final L2Tables l2;

  ZeroWriter(Writing writing) {
    this.writing = writing;
    this.image = writing.image;
    this.geometry = image.geometry;
    this.l2 = writing.l2Tables;
  }

  /** As {@link BlockNode#writeZeroes}, for a range inside the disk. */
  void zero(long guest, long bytes, int flags) throws BlockFault {
    long unit = 1L << geometry.subclusterBits();
    long end = guest + bytes;
    long size = image.header().size();
    long at = guest;
    if ((at & (unit - 1)) != 0) {
      long headEnd = Math.min(end, Ranges.alignUp(at, unit));
      part(at, headEnd, flags);
      at = headEnd;
    }
    long wholeEnd = end == size ? end : Math.max(at, Ranges.alignDown(end, unit));
    if (at < wholeEnd) {
      whole(at, wholeEnd, flags);
    }
    if (wholeEnd < end) {
      part(Math.max(at, wholeEnd), end, flags);
    }
  }

  /** A part of one unit. */
  private void part(long from, long to, int flags) throws BlockFault {
    long unit = 1L << geometry.subclusterBits();
    long start = Ranges.alignDown(from, unit);
    long end = Math.min(start + unit, image.header().size());
    boolean done =
        geometry.version() < 3
            ? readsAsZeroes(start, end)
            : !raw()
                && zeroBelow(start, from)
                && zeroBelow(to, end)
                && wholeIfNoData(start, end, flags);
    if (!done && canWrite(flags)) {
      writing.writer.writeZeroBytes(from, to - from);
    }
  }

  /** Whether the backing chain has nothing but zeroes there. */
  private boolean zeroBelow(long start, long end) throws BlockFault {
    long at = start;
    while (at < end) {
      if (image.backing == null || at >= image.backing.length()) {
        return true;
      }
      Extent extent = image.backing.extent(at, Math.min(end, image.backing.length()) - at);
      if (!extent.kind().zero()) {
        return false;
      }
      at = extent.end();
    }
    return true;
  }

  /**
   * Zeroes a unit of which only a part was asked for, if it has no data of its own. Whether it has
   * must be found out under the mutex: another request may write into the rest meanwhile.
   */
  private boolean wholeIfNoData(long start, long end, int flags) throws BlockFault {
    boolean[] done = new boolean[1];
    forEachSlice(
        start,
        end,
        (from, to) -> {
          if (hasNoData(from, to)) {
            done[0] =
                geometry.extendedL2()
                    ? zeroSubclusters(l2.writableSlot(from), from, to)
                    : zeroInSlice(from, to, flags);
          }
        });
    return done[0];
  }

  private boolean hasNoData(long start, long end) throws BlockFault {
    Run run = new Run();
    long at = start;
    while (at < end) {
      image.tables.lookup(run, at, end - at);
      if (!run.kind.unallocated() && !run.kind.zero()) {
        return false;
      }
      at += run.length;
    }
    return true;
  }

  /** Fails, when zeroes must not cost as much as data. */
  private static boolean canWrite(int flags) throws BlockFault {
    if ((flags & BlockNode.NO_FALLBACK) != 0) {
      throw BlockFault.of(Errno.EOPNOTSUPP, "zeroing a part of a cluster");
    }
    return true;
  }

  private boolean readsAsZeroes(long start, long end) throws BlockFault {
    Run run = new Run();
    long at = start;
    while (at < end) {
      image.tables.lookup(run, at, end - at);
      boolean nothing =
          run.kind.unallocated() && (image.backing == null || at >= image.backing.length());
      if (!nothing && !run.kind.zero()) {
        return false;
      }
      at += run.length;
    }
    return true;
  }

  /** Whole units, but for the last one of the disk. */
  private void whole(long from, long to, int flags) throws BlockFault {
    if (geometry.version() < 3 && (image.backing != null || !unmaps(flags))) {
      if (canWrite(flags)) {
        writeWhereNotZero(from, to);
      }
      return;
    }
    if (image.header().has(AutoclearFeature.RAW_DATA_FILE)) {
      l2.zeroRaw(from, to - from, flags);
    }
    long firstWhole = Math.min(to, Ranges.alignUp(from, geometry.clusterBytes()));
    long lastWhole =
        to == image.header().size() ? to : Ranges.alignDown(to, geometry.clusterBytes());
    if (from < firstWhole) {
      subclusters(from, firstWhole, flags);
    }
    if (firstWhole < lastWhole) {
      forEachSlice(firstWhole, lastWhole, (start, end) -> zeroInSlice(start, end, flags));
    }
    if (Math.max(firstWhole, lastWhole) < to) {
      subclusters(Math.max(firstWhole, lastWhole), to, flags);
    }
  }

  /** Subclusters of one cluster. A compressed one has no bits for them, and is written. */
  private void subclusters(long from, long to, int flags) throws BlockFault {
    boolean[] done = new boolean[1];
    forEachSlice(
        from, to, (start, end) -> done[0] = zeroSubclusters(l2.writableSlot(start), start, end));
    if (!done[0] && canWrite(flags)) {
      writing.writer.writeZeroBytes(from, to - from);
    }
  }

  private void writeWhereNotZero(long from, long to) throws BlockFault {
    Run run = new Run();
    long at = from;
    while (at < to) {
      image.tables.lookup(run, at, to - at);
      long length = run.length;
      if (!readsAsZeroes(at, at + length)) {
        writing.writer.writeZeroBytes(at, length);
      }
      at += length;
    }
  }

  private boolean unmaps(int flags) {
    return (flags & BlockNode.MAY_UNMAP) != 0 && image.mode.unmap();
  }

  /** What is done to the clusters of one slice, under the mutex. */
  private interface SliceChange {
    void change(long start, long end) throws BlockFault;
  }

  private void forEachSlice(long from, long to, SliceChange change) throws BlockFault {
    long at = from;
    while (at < to) {
      long end = Math.min(to, l2.sliceEnd(at));
      writing.mutex.lock();
      try {
        writing.underWay.waitFor(
            Ranges.alignDown(at, geometry.clusterBytes()),
            Ranges.alignUp(end, geometry.clusterBytes()));
        change.change(at, end);
        writing.reclaimIfMany();
      } finally {
        writing.mutex.unlock();
      }
      at = end;
    }
  }

  /** Whole clusters of one slice; always true. */
  private boolean zeroInSlice(long start, long end, int flags) throws BlockFault {
    int slot = l2.writableSlot(start);
    writing.beginAllocating();
    for (long at = start; at < end; at += geometry.clusterBytes()) {
      zeroCluster(slot, at, flags);
    }
    return true;
  }

  private void zeroCluster(int slot, long guest, int flags) {
    long old = l2.entry(slot, guest);
    long oldBitmap = l2.bitmap(slot, guest);
    boolean compressed = (old & L2Entry.COMPRESSED) != 0;
    boolean allocated = compressed || (old & ~L2Entry.ZERO) != 0;
    boolean free = compressed || geometry.version() < 3 || (allocated && unmaps(flags) && !raw());
    long entry = free ? 0 : old;
    long bitmap = 0;
    if (geometry.extendedL2()) {
      bitmap = L2Entry.SUB_ZERO;
    } else if (geometry.version() >= 3) {
      entry |= L2Entry.ZERO;
    }
    if (entry != old || bitmap != oldBitmap) {
      l2.set(slot, guest, entry, bitmap);
      if (free) {
        writing.writer.free(old);
      }
    }
  }

  private boolean raw() {
    return image.header().has(AutoclearFeature.RAW_DATA_FILE);
  }

  private boolean zeroSubclusters(int slot, long from, long to) {
    long entry = l2.entry(slot, from);
    if ((entry & L2Entry.COMPRESSED) != 0) {
      return false;
    }
    int bits = geometry.subclusterBits();
    long first = geometry.inCluster(from) >>> bits;
    long count = ((to - from) + (1L << bits) - 1) >>> bits;
    long mask = ((1L << count) - 1) << first;
    long bitmap = l2.bitmap(slot, from);
    long newer = (bitmap | (mask << 32)) & ~mask;
    if (newer != bitmap) {
      l2.set(slot, from, entry, newer);
    }
    return true;
  }

  /** As {@link BlockNode#discard}: whole clusters, if the image was opened to give room back. */
  void discard(long guest, long bytes) throws BlockFault {
    if (!image.mode.unmap() || raw() || (geometry.version() < 3 && image.backing != null)) {
      return;
    }
    int cluster = geometry.clusterBytes();
    long end = guest + bytes;
    long from = Ranges.alignUp(guest, cluster);
    long to = end == image.header().size() ? end : Ranges.alignDown(end, cluster);
    if (from < to) {
      forEachSlice(from, to, this::discardInSlice);
    }
  }

  private void discardInSlice(long start, long end) throws BlockFault {
    int slot = l2.writableSlot(start);
    writing.beginAllocating();
    for (long at = start; at < end; at += geometry.clusterBytes()) {
      long old = l2.entry(slot, at);
      long oldBitmap = l2.bitmap(slot, at);
      boolean allocated = (old & ~L2Entry.ZERO) != 0;
      if (!allocated && image.backing == null) {
        continue;
      }
      long entry = geometry.version() >= 3 && !geometry.extendedL2() ? L2Entry.ZERO : 0;
      long bitmap = geometry.extendedL2() ? L2Entry.SUB_ZERO : 0;
      if (entry != old || bitmap != oldBitmap) {
        l2.set(slot, at, entry, bitmap);
        writing.writer.free(old);
        discardData(old);
      }
    }
  }

  /** A data file has no refcounts: room goes back at once. */
  private void discardData(long old) throws BlockFault {
    if (geometry.dataFile() && image.options.passDiscards() && (old & L2Entry.COPIED) != 0) {
      image.data.node().discard(old & L2Entry.OFFSET_MASK, geometry.clusterBytes());
    }
  }
}
