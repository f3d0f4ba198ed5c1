package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.block.BlkdebugEvent;
import hawser.block.Preallocation;
import hawser.block.format.qcow2.layout.AutoclearFeature;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.L2Entry;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.block.format.qcow2.layout.Qcow2Limits;

/** Makes a disk larger: a longer L1 table when the present one is too short, and the new size. */
final class Growth {
  private final Writing writing;
  private final Image image;
  private final Geometry geometry;

  Growth(Writing writing) {
    this.writing = writing;
    this.image = writing.image;
    this.geometry = image.geometry;
  }

  /** As {@link hawser.block.BlockNode#resize}. */
  void resize(long size, Preallocation wanted) throws BlockFault {
    long old = image.header().size();
    refuse(size, old, wanted);
    Preallocation preallocation =
        image.header().has(AutoclearFeature.RAW_DATA_FILE) && wanted == Preallocation.OFF
            ? Preallocation.METADATA
            : wanted;
    writing.mutex.lock();
    try {
      growL1((int) geometry.l1EntriesFor(size));
      if (image.data != image.file) {
        image.data.resize(
            size, preallocation == Preallocation.METADATA ? Preallocation.OFF : preallocation);
      }
      writing.writeBack.all();
      setSize(size);
    } finally {
      writing.mutex.unlock();
    }
    hideBacking(old, size);
    if (preallocation != Preallocation.OFF && size > old) {
      preallocate(Ranges.alignDown(old, geometry.clusterBytes()), size, preallocation);
    }
  }

  private void refuse(long size, long old, Preallocation wanted) throws BlockFault {
    if (size % 512 != 0) {
      throw new BlockFault(Errno.EINVAL, "The new size must be a multiple of 512");
    }
    if (!image.snapshots.snapshots().isEmpty() && geometry.version() < 3) {
      throw new BlockFault(Errno.EOPNOTSUPP, "Can't resize a v2 image which has snapshots");
    }
    if (size < old && wanted != Preallocation.OFF) {
      throw new BlockFault(Errno.EINVAL, "Preallocation can't be used for shrinking an image");
    }
    if (size < old) {
      throw new BlockFault(Errno.EOPNOTSUPP, "qcow2 doesn't support shrinking images yet");
    }
    if (geometry.l1EntriesFor(size) * 8 > Qcow2Limits.L1_BYTES_MAX) {
      throw BlockFault.of(Errno.EFBIG, "Failed to grow the L1 table");
    }
  }

  private void setSize(long size) throws BlockFault {
    Qcow2Header header =
        image.header().withDisk(size, image.header().l1Entries(), image.header().l1Table());
    HeaderWriter.size(image.file, header);
    image.file.node().flush();
    image.header(header);
  }

  private void growL1(int entries) throws BlockFault {
    L1Table old = image.tables.mapping().l1();
    if (entries <= old.count()) {
      return;
    }
    writing.writeBack.all();
    writing.beginAllocating();
    int clusters = (int) geometry.clustersFor(entries * 8L);
    image.file.event(BlkdebugEvent.L1_GROW_ALLOC_TABLE);
    Allocator.Taken taken = writing.allocator.takeAll(clusters, "L1 table");
    L1Table bigger = old.grown(entries, taken.first() << geometry.clusterBits());
    image.file.event(BlkdebugEvent.L1_GROW_WRITE_TABLE);
    image.file.write(bigger.bytes(), bigger.at(), 0);
    // The header must not point to a table that is not there, or that nobody counts.
    writing.writeBack.refcounts();
    Qcow2Header header = image.header().withDisk(image.header().size(), entries, bigger.at());
    image.file.event(BlkdebugEvent.L1_GROW_ACTIVATE_TABLE);
    HeaderWriter.l1Table(image.file, header);
    // From here on the file has the new table, whatever becomes of the flush.
    image.header(header);
    image.tables.mapping().replaceL1(bigger);
    writing.overlaps.moved(Overlaps.Structure.ACTIVE_L1, bigger.at(), entries * 8L);
    for (int i = 0; i < geometry.clustersFor(old.count() * 8L); i++) {
      writing.freed.add(old.at() + ((long) i << geometry.clusterBits()));
    }
    image.file.node().flush();
  }

  /** What the backing file has behind the old end must not appear in the new part. */
  private void hideBacking(long old, long size) throws BlockFault {
    if (image.backing != null && image.backing.length() > old) {
      long end = Math.min(size, image.backing.length());
      if (end > old) {
        writing.zeroes.zero(old, end - old, 0);
      }
    }
  }

  private void preallocate(long from, long size, Preallocation preallocation) throws BlockFault {
    long at = from;
    while (at < size) {
      at += mapSome(at, size, preallocation);
    }
  }

  /** Gives clusters to a stretch that has none; answers how much was looked at. */
  private long mapSome(long at, long size, Preallocation preallocation) throws BlockFault {
    writing.mutex.lock();
    try {
      Run run = new Run();
      long limit = Math.min(size, writing.l2Tables.sliceEnd(at));
      image.tables.lookupLocked(run, at, limit - at);
      if (run.kind != Run.Kind.UNALLOCATED && run.kind != Run.Kind.ZERO) {
        return run.length;
      }
      boolean zero = run.kind == Run.Kind.ZERO && !geometry.extendedL2();
      int count = (int) geometry.clustersFor(run.length);
      long host = at;
      if (!geometry.dataFile()) {
        writing.beginAllocating();
        Allocator.Taken taken = writing.allocator.takeUpTo(count);
        host = taken.first() << geometry.clusterBits();
        count = taken.count();
        room(host, (long) count << geometry.clusterBits(), taken.fresh(), preallocation);
      }
      for (int i = 0; i < count; i++) {
        long offset = (long) i << geometry.clusterBits();
        int slot = writing.l2Tables.writableSlot(at + offset);
        long bitmap = writing.l2Tables.bitmap(slot, at + offset);
        writing.l2Tables.set(
            slot,
            at + offset,
            (host + offset) | L2Entry.COPIED | (zero ? L2Entry.ZERO : 0),
            bitmap);
      }
      return Math.min(limit - at, (long) count << geometry.clusterBits());
    } finally {
      writing.mutex.unlock();
    }
  }

  private void room(long host, long bytes, boolean fresh, Preallocation preallocation)
      throws BlockFault {
    image.file.grow(host + bytes);
    if (!fresh || preallocation == Preallocation.FALLOC || preallocation == Preallocation.FULL) {
      image.file.writeZeroes(host, bytes, 0);
    }
  }
}
