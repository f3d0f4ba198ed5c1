package hawser.block.format.qcow2;

import static hawser.base.Wire.BE64;
import static hawser.base.Wire.LE64;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.block.BlockNode;
import hawser.block.DirtyBitmap;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.StoredBitmap;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A bitmap as it is stored in the image ("Bitmap table"). The table is read on first use and stays;
 * of the bits one cluster at a time is in memory, so that a bitmap of any size costs little.
 */
final class PersistentBitmap implements DirtyBitmap {
  /** Bit 0 of a table entry without an offset: all bits of the cluster are ones. */
  private static final long ALL_ONES = 1;

  private final StoredBitmap stored;
  private final BlockNode file;
  private final Geometry geometry;
  private final long bitsPerCluster;
  private @Nullable MemorySegment table;
  private @Nullable MemorySegment bits;
  private long clusterInBits = -1;

  PersistentBitmap(StoredBitmap stored, BlockNode file, Geometry geometry) {
    this.stored = stored;
    this.file = file;
    this.geometry = geometry;
    this.bitsPerCluster = geometry.clusterBytes() * 8L;
  }

  @Override
  public String name() {
    return stored.name();
  }

  @Override
  public long granularity() {
    return 1L << stored.granularityBits();
  }

  @Override
  public boolean recording() {
    return stored.auto();
  }

  @Override
  public boolean inconsistent() {
    return stored.inUse();
  }

  @Override
  public synchronized boolean dirtyAt(long offset) throws BlockFault {
    return bit(offset >>> stored.granularityBits());
  }

  @Override
  public synchronized long runEnd(long offset, long end) throws BlockFault {
    long first = offset >>> stored.granularityBits();
    long limit = Ranges.unitsFor(end, granularity());
    boolean dirty = bit(first);
    long at = first + 1;
    while (at < limit) {
      long clusterEnd = Math.min(limit, (at / bitsPerCluster + 1) * bitsPerCluster);
      at = runEndInCluster(at, clusterEnd, dirty);
      if (at < clusterEnd) {
        break;
      }
    }
    return Math.min(end, at << stored.granularityBits());
  }

  private long runEndInCluster(long from, long clusterEnd, boolean dirty) throws BlockFault {
    MemorySegment loaded = clusterOf(from);
    if (loaded == null) {
      return bit(from) == dirty ? clusterEnd : from;
    }
    long same = dirty ? -1L : 0;
    long at = from;
    while (at < clusterEnd) {
      long within = at % bitsPerCluster;
      long differing = (loaded.get(LE64, within / 64 * 8) ^ same) >>> (within % 64);
      if (differing != 0) {
        return Math.min(clusterEnd, at + Long.numberOfTrailingZeros(differing));
      }
      at += 64 - within % 64;
    }
    return clusterEnd;
  }

  private boolean bit(long index) throws BlockFault {
    MemorySegment loaded = clusterOf(index);
    if (loaded == null) {
      return (entry(index / bitsPerCluster) & ALL_ONES) != 0;
    }
    long within = index % bitsPerCluster;
    return (loaded.get(LE64, within / 64 * 8) >>> (within % 64) & 1) != 0;
  }

  /** The bits around an index, or null when its table entry says what all of them are. */
  private @Nullable MemorySegment clusterOf(long index) throws BlockFault {
    long cluster = index / bitsPerCluster;
    long at = entry(cluster) & StoredBitmap.OFFSET_MASK;
    if (at == 0) {
      return null;
    }
    MemorySegment loaded = bits;
    if (loaded == null) {
      loaded = Arena.ofAuto().allocate(geometry.clusterBytes(), 8);
      bits = loaded;
    }
    if (cluster != clusterInBits) {
      clusterInBits = -1;
      if (!Ranges.contains(file.length(), at, geometry.clusterBytes())) {
        throw outside("data", at);
      }
      file.read(loaded, at);
      clusterInBits = cluster;
    }
    return loaded;
  }

  private long entry(long cluster) throws BlockFault {
    MemorySegment entries = table;
    if (entries == null) {
      long at = stored.table().bytes();
      if (!Ranges.contains(file.length(), at, stored.tableEntries() * 8)) {
        throw outside("table", at);
      }
      entries = Arena.ofAuto().allocate(stored.tableEntries() * 8, 8);
      file.read(entries, at);
      table = entries;
    }
    return cluster < stored.tableEntries() ? entries.get(BE64, cluster * 8) : 0;
  }

  private BlockFault outside(String what, long at) {
    return new BlockFault(
        Errno.EIO,
        "Bitmap '%s': its %s at offset %#x is outside the file".formatted(name(), what, at));
  }
}
