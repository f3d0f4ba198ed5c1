package hawser.block.format.qcow2.check;

import hawser.base.BlockFault;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.L2Entry;
import org.jspecify.annotations.Nullable;

/**
 * Counts what L2 tables reference as long as nothing is wrong with them. Neighbouring clusters are
 * counted in one step, and the "copied" flags are compared with the stored refcounts on the way.
 * Used by one thread, beside others on the same image.
 */
final class QuickScan {
  private final Geometry geometry;
  private final References references;
  private final @Nullable StoredRefcounts stored;
  private final long fileLength;
  private final int clusterBits;
  private long runStart;
  private long runEnd;
  private boolean runCopied;
  private long pageNumber = -1;
  private RefcountPage page = RefcountPage.ZERO;
  private boolean overflowed;
  private boolean copiedWrong;
  long allocated;
  long fragmented;
  long compressed;

  /** {@code stored} is null for a snapshot's tables, whose "copied" flags mean nothing. */
  QuickScan(
      Geometry geometry, References references, @Nullable StoredRefcounts stored, long fileLength) {
    this.geometry = geometry;
    this.references = references;
    this.stored = stored;
    this.fileLength = fileLength;
    this.clusterBits = geometry.clusterBits();
  }

  /** Whether a "copied" flag contradicts a stored refcount. */
  boolean copiedWrong() {
    return copiedWrong;
  }

  /**
   * Scans one table: {@code length} longs of {@code table} from {@code from}. False: something in
   * it must be looked at closely.
   */
  boolean scan(long[] table, int from, int length) throws BlockFault {
    int stride = geometry.l2EntryBytes() / 8;
    long contiguous = 0;
    long fragments = 0;
    long stores = 0;
    runStart = 0;
    runEnd = 0;
    for (int i = from; i < from + length; i += stride) {
      long entry = table[i];
      long bitmap = stride == 2 ? table[i + 1] : 0;
      if ((entry | bitmap) == 0) {
        continue;
      }
      if ((entry & L2Entry.COMPRESSED) != 0) {
        if (!compressed(entry, bitmap)) {
          return false;
        }
        continue;
      }
      if ((entry & L2Entry.STANDARD_RESERVED_MASK) != 0) {
        return false;
      }
      long offset = entry & L2Entry.OFFSET_MASK;
      if (offset == 0 && !L2Scan.dataAtZero(entry, geometry)) {
        if ((bitmap & L2Entry.SUB_ALLOCATED) != 0) {
          return false;
        }
        continue;
      }
      stores++;
      if (contiguous != 0 && offset != contiguous) {
        fragments++;
      }
      contiguous = offset + (1L << clusterBits);
      if (!standard(offset, (entry & L2Entry.COPIED) != 0, bitmap)) {
        return false;
      }
    }
    flushRun();
    allocated += stores;
    fragmented += fragments;
    return !overflowed;
  }

  private boolean compressed(long entry, long bitmap) throws BlockFault {
    long offset = geometry.compressedOffset(entry);
    int bytes = geometry.compressedBytes(entry);
    if ((entry & L2Entry.COPIED) != 0
        || geometry.dataFile()
        || bitmap != 0
        || Counter.exceeds(offset, bytes, fileLength, clusterBits)) {
      return false;
    }
    references.add(offset >>> clusterBits, (offset + bytes - 1) >>> clusterBits, this::overflow);
    allocated++;
    compressed++;
    fragmented++;
    return true;
  }

  private boolean standard(long offset, boolean copied, long bitmap) throws BlockFault {
    if ((bitmap >>> 32 & bitmap) != 0 || geometry.inCluster(offset) != 0) {
      return false;
    }
    if (geometry.dataFile()) {
      copiedWrong |= !copied;
      return true;
    }
    if (offset >= fileLength) {
      return false;
    }
    if (offset != runEnd || copied != runCopied) {
      flushRun();
      runStart = offset;
      runCopied = copied;
    }
    runEnd = offset + (1L << clusterBits);
    return true;
  }

  private void overflow(long cluster) {
    overflowed = true;
  }

  private void flushRun() throws BlockFault {
    if (runEnd == 0) {
      return;
    }
    long first = runStart >>> clusterBits;
    long last = (runEnd >>> clusterBits) - 1;
    references.add(first, last, this::overflow);
    if (stored != null && !copiedWrong) {
      copiedWrong = !copiedRight(stored, first, last);
    }
  }

  private boolean copiedRight(StoredRefcounts counts, long first, long last) throws BlockFault {
    long cluster = first;
    while (cluster <= last) {
      long number = cluster / References.PAGE_CLUSTERS;
      if (number != pageNumber) {
        page = counts.page(number);
        pageNumber = number;
      }
      if (page.unreadable() != null) {
        return false;
      }
      byte[] narrow = page.narrow();
      long end = Math.min(last + 1, (number + 1) * References.PAGE_CLUSTERS);
      for (; cluster < end; cluster++) {
        if ((narrow[(int) (cluster % References.PAGE_CLUSTERS)] == 1) != runCopied) {
          return false;
        }
      }
    }
    return true;
  }
}
