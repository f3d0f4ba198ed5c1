package hawser.block.format.qcow2;

import static hawser.base.Wire.BE64;

import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.L1Entry;
import hawser.block.format.qcow2.layout.L2Entry;
import java.lang.foreign.MemorySegment;

/**
 * Turns guest offsets into runs, from the tables that are in memory. Reads no file and takes no
 * lock: whoever calls validates its view.
 */
final class Mapping {
  /**
   * From so many entries on they are copied to an array first, which is quicker to go through in
   * short commands, whose code no optimising compiler sees.
   */
  private static final int MANY = 32;

  private final Geometry geometry;
  private final MetadataCache slices;
  private final int sliceBits;
  private volatile L1Table l1;

  /** A mapping whose L2 tables are cached in slices of the cache's slot size. */
  Mapping(Geometry geometry, L1Table l1, MetadataCache slices) {
    this.geometry = geometry;
    this.l1 = l1;
    this.slices = slices;
    int entries = slices.slotBytes() / geometry.l2EntryBytes();
    this.sliceBits = Integer.numberOfTrailingZeros(entries);
  }

  L1Table l1() {
    return l1;
  }

  void replaceL1(L1Table other) {
    l1 = other;
  }

  MetadataCache slices() {
    return slices;
  }

  /** log2 of the guest bytes that one slice maps. */
  int sliceShift() {
    return geometry.clusterBits() + sliceBits;
  }

  /** The number of the slice that maps an offset; its key in the cache. */
  long sliceOf(long guest) {
    return guest >>> sliceShift();
  }

  /** The index of an offset's entry in its slice. */
  int indexInSlice(long guest) {
    return (int) (guest >>> geometry.clusterBits()) & ((1 << sliceBits) - 1);
  }

  /** Where the slice lies inside its L2 table, bytes. */
  long offsetInTable(long slice) {
    long slicesPerTable = 1L << (geometry.l2Bits() - sliceBits);
    return (slice & (slicesPerTable - 1)) * slices.slotBytes();
  }

  /** The L1 index for an offset. */
  int l1Index(long guest) {
    return (int) (guest >>> geometry.l1Shift());
  }

  /**
   * Says what the range from {@code guest} is, at most {@code max} bytes of it. False: the slice is
   * not in memory and nothing was found out.
   */
  boolean lookup(Run run, long guest, long max) {
    L1Table table = l1;
    long index = guest >>> geometry.l1Shift();
    if (index >= table.count()) {
      run.set(Run.Kind.UNALLOCATED, max);
      return true;
    }
    long l1Entry = table.get(index);
    long l2 = L1Entry.offset(l1Entry);
    if (l2 == 0) {
      run.set(Run.Kind.UNALLOCATED, Math.min(max, unmappedEnd(table, index, guest + max) - guest));
      return true;
    }
    if (geometry.inCluster(l2) != 0) {
      run.set(Run.Kind.INVALID, max);
      run.entry = l1Entry;
      return true;
    }
    int slot = slices.find(sliceOf(guest));
    MemorySegment slice = slot < 0 ? null : slices.memory(slot);
    if (slice == null) {
      return false;
    }
    slices.touch(slot);
    if (geometry.extendedL2()) {
      subclusters(run, slice, guest, max);
    } else {
      clusters(run, slice, guest, max);
    }
    return true;
  }

  private long unmappedEnd(L1Table table, long index, long limit) {
    long next = index + 1;
    while (next < table.count()
        && (next << geometry.l1Shift()) < limit
        && L1Entry.offset(table.get(next)) == 0) {
      next++;
    }
    return next >= table.count() ? Long.MAX_VALUE : next << geometry.l1Shift();
  }

  private void clusters(Run run, MemorySegment slice, long guest, long max) {
    int bits = geometry.clusterBits();
    int index = indexInSlice(guest);
    long entry = slice.get(BE64, (long) index << 3);
    Run.Kind kind = kind(entry, guest >>> bits << bits);
    long inside = geometry.inCluster(guest);
    long length = geometry.clusterBytes() - inside;
    run.set(kind, Math.min(length, max));
    run.entry = entry;
    run.copied = (entry & L2Entry.COPIED) != 0;
    run.host = kind.hasHost() ? (entry & L2Entry.OFFSET_MASK) + inside : 0;
    if (kind == Run.Kind.COMPRESSED || kind == Run.Kind.INVALID) {
      return;
    }
    long step = kind.hasHost() ? geometry.clusterBytes() : 0;
    if (length < max) {
      long count = Math.min((1L << sliceBits) - index - 1, ((max - length - 1) >> bits) + 1);
      length += (long) following(run, slice, index, (int) count, step) << bits;
    }
    run.length = Math.min(length, max);
  }

  /**
   * How many of the {@code count} entries behind {@code index} continue the run that begins there.
   */
  private static int following(Run run, MemorySegment slice, int index, int count, long step) {
    long expected = run.entry;
    if (count < MANY) {
      for (int i = 0; i < count; i++) {
        expected += step;
        if (slice.get(BE64, (index + 1L + i) << 3) != expected) {
          return i;
        }
      }
      return count;
    }
    long[] part = run.entries();
    for (int done = 0; done < count; done += part.length) {
      int length = Math.min(count - done, part.length);
      MemorySegment.copy(slice, BE64, (index + 1L + done) << 3, part, 0, length);
      for (int i = 0; i < length; i++) {
        expected += step;
        if (part[i] != expected) {
          return done + i;
        }
      }
    }
    return count;
  }

  private Run.Kind kind(long entry, long guestCluster) {
    if ((entry & L2Entry.COMPRESSED) != 0) {
      return geometry.dataFile() ? Run.Kind.INVALID : Run.Kind.COMPRESSED;
    }
    long host = entry & L2Entry.OFFSET_MASK;
    boolean here = host != 0 || (geometry.dataFile() && (entry & L2Entry.COPIED) != 0);
    if (here && (geometry.inCluster(host) != 0 || (geometry.dataFile() && host != guestCluster))) {
      return Run.Kind.INVALID;
    }
    if ((entry & L2Entry.ZERO) != 0) {
      if (geometry.version() < 3) {
        return Run.Kind.INVALID;
      }
      return here ? Run.Kind.ZERO_RESERVED : Run.Kind.ZERO;
    }
    return here ? Run.Kind.DATA : Run.Kind.UNALLOCATED;
  }

  private void subclusters(Run run, MemorySegment slice, long guest, long max) {
    int bits = geometry.clusterBits();
    int subBits = geometry.subclusterBits();
    int index = indexInSlice(guest);
    long entry = slice.get(BE64, (long) index << 4);
    long bitmap = slice.get(BE64, ((long) index << 4) + 8);
    int sub = (int) (geometry.inCluster(guest) >>> subBits);
    Run.Kind kind = kind(entry, bitmap, sub, guest >>> bits << bits);
    long inside = geometry.inCluster(guest);
    boolean whole = kind == Run.Kind.COMPRESSED || kind == Run.Kind.INVALID;
    long length =
        whole
            ? geometry.clusterBytes() - inside
            : (1L << subBits) - (guest & ((1L << subBits) - 1));
    run.set(kind, Math.min(length, max));
    run.entry = entry;
    run.copied = (entry & L2Entry.COPIED) != 0;
    run.host = kind.hasHost() ? (entry & L2Entry.OFFSET_MASK) + inside : 0;
    if (whole) {
      return;
    }
    long next = guest + length;
    long first = entry;
    while (length < max) {
      if (geometry.inCluster(next) == 0) {
        if (++index >= 1 << sliceBits) {
          break;
        }
        long following = slice.get(BE64, (long) index << 4);
        long expected = kind.hasHost() ? first + geometry.clusterBytes() : first;
        if (following != expected) {
          break;
        }
        first = following;
        bitmap = slice.get(BE64, ((long) index << 4) + 8);
      }
      sub = (int) (geometry.inCluster(next) >>> subBits);
      if (kind(first, bitmap, sub, next >>> bits << bits) != kind) {
        break;
      }
      length += 1L << subBits;
      next += 1L << subBits;
    }
    run.length = Math.min(length, max);
  }

  private Run.Kind kind(long entry, long bitmap, int sub, long guestCluster) {
    if ((entry & L2Entry.COMPRESSED) != 0) {
      return geometry.dataFile() ? Run.Kind.INVALID : Run.Kind.COMPRESSED;
    }
    long host = entry & L2Entry.OFFSET_MASK;
    boolean here = host != 0 || (geometry.dataFile() && (entry & L2Entry.COPIED) != 0);
    boolean allocated = (bitmap >>> sub & 1) != 0;
    boolean zero = (bitmap >>> (32 + sub) & 1) != 0;
    if (here) {
      if (geometry.inCluster(host) != 0
          || (geometry.dataFile() && host != guestCluster)
          || ((bitmap >>> 32) & bitmap) != 0) {
        return Run.Kind.INVALID;
      }
      return zero
          ? Run.Kind.ZERO_RESERVED
          : allocated ? Run.Kind.DATA : Run.Kind.UNALLOCATED_RESERVED;
    }
    if ((bitmap & L2Entry.SUB_ALLOCATED) != 0) {
      return Run.Kind.INVALID;
    }
    return zero ? Run.Kind.ZERO : Run.Kind.UNALLOCATED;
  }
}
