package hawser.block.format.qcow2.check;

import static hawser.base.Wire.BE16;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import hawser.base.BlockFault;
import hawser.base.Ranges;
import hawser.block.format.qcow2.layout.Geometry;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.block.format.qcow2.layout.RefcountBlock;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The refcounts as the image has them, read a page at a time; a bounded number of pages is kept.
 * Safe from any thread.
 */
final class StoredRefcounts implements AutoCloseable {
  /** Bytes of the pages kept: 16 Mi clusters, 1 TiB of file with 64 KiB clusters. */
  private static final long KEPT_BYTES_MAX = 16L << 20;

  private static final int PAGE = References.PAGE_CLUSTERS;

  private final TableReader reader;
  private final Geometry geometry;
  private final long[] table;
  private final Map<Long, RefcountPage> kept = new LinkedHashMap<>(16, 0.75f, true);
  private long keptBytes;
  private boolean complained;

  /** Reads the table of a header whose table has passed judgement. */
  StoredRefcounts(PaddedFile file, Qcow2Header header) throws BlockFault {
    this.reader = new TableReader(file);
    this.geometry = header.geometry();
    int clusters = (int) header.refcountTableClusters();
    int perCluster = geometry.refcountTableEntriesPerCluster();
    this.table = new long[clusters * perCluster];
    long[] piece = new long[perCluster];
    for (int i = 0; i < clusters; i++) {
      reader.read(header.refcountTable() + (long) i * geometry.clusterBytes(), piece, perCluster);
      System.arraycopy(piece, 0, table, i * perCluster, perCluster);
    }
  }

  /** The entries of the refcount table. */
  int tableEntries() {
    return table.length;
  }

  /** One entry of the refcount table as it is stored. */
  long tableEntry(int index) {
    return table[index];
  }

  /** The refcounts of the clusters from {@code number * PAGE_CLUSTERS}. */
  synchronized RefcountPage page(long number) throws BlockFault {
    RefcountPage page = kept.get(number);
    if (page == null) {
      page = load(number * PAGE);
      kept.put(number, page);
      keptBytes += page.bytes();
      var oldest = kept.entrySet().iterator();
      while (keptBytes > KEPT_BYTES_MAX && kept.size() > 1) {
        keptBytes -= oldest.next().getValue().bytes();
        oldest.remove();
      }
    }
    return page;
  }

  private RefcountPage load(long firstCluster) throws BlockFault {
    byte[] narrow = new byte[PAGE];
    long[] wide = null;
    boolean[] unreadable = null;
    boolean stored = false;
    int blockBits = geometry.refcountBlockBits();
    int at = 0;
    while (at < PAGE) {
      long cluster = firstCluster + at;
      long inBlock = cluster & ((1L << blockBits) - 1);
      int count = (int) Math.min(PAGE - at, (1L << blockBits) - inBlock);
      long index = cluster >>> blockBits;
      long block = index < table.length ? table[(int) index] & RefcountBlock.TABLE_OFFSET_MASK : 0;
      if (!readable(block)) {
        unreadable = unreadable == null ? new boolean[PAGE] : unreadable;
        Arrays.fill(unreadable, at, at + count, true);
        stored = true;
      } else if (block != 0) {
        wide = decode(block, inBlock, count, narrow, wide, at);
        stored = true;
      }
      at += count;
    }
    return stored ? new RefcountPage(narrow, wide, unreadable) : RefcountPage.ZERO;
  }

  private boolean readable(long block) {
    return geometry.inCluster(block) == 0
        && Ranges.contains(PaddedFile.LENGTH, block, geometry.clusterBytes());
  }

  /** Says, once, that the block of a cluster cannot be read, as QEMU does at that moment. */
  void complain(long cluster, CheckListener listener) {
    long index = cluster >>> geometry.refcountBlockBits();
    long block = table[(int) index] & RefcountBlock.TABLE_OFFSET_MASK;
    if (!complained && geometry.inCluster(block) != 0) {
      complained = true;
      listener.line(
          "qcow2: Image is corrupt: Refblock offset 0x%x unaligned (reftable index: %s);"
                  .formatted(block, index == 0 ? "0" : "0x" + Long.toHexString(index))
              + " further non-fatal corruption events will be suppressed");
    }
  }

  private long @Nullable [] decode(
      long block, long inBlock, int count, byte[] narrow, long @Nullable [] wideSoFar, int at)
      throws BlockFault {
    int order = geometry.refcountOrder();
    // Pages and blocks are powers of two of at least 64 entries, so pieces start at whole bytes.
    MemorySegment piece =
        reader.bytes(block + ((inBlock << order) >>> 3), ((long) count << order) >>> 3);
    if (order == 3) {
      MemorySegment.copy(piece, JAVA_BYTE, 0, narrow, at, count);
    } else if (order == 4) {
      short[] counts = new short[count];
      MemorySegment.copy(piece, BE16, 0, counts, 0, count);
      for (int i = 0; i < count; i++) {
        int value = counts[i] & 0xffff;
        narrow[at + i] = (byte) Math.min(value, References.WIDE);
      }
    } else {
      for (int i = 0; i < count; i++) {
        long value = RefcountBlock.get(piece, order, i);
        narrow[at + i] =
            (byte) (Long.compareUnsigned(value, References.WIDE) < 0 ? value : References.WIDE);
      }
    }
    return widen(piece, order, count, narrow, wideSoFar, at);
  }

  private static long @Nullable [] widen(
      MemorySegment piece, int order, int count, byte[] narrow, long @Nullable [] soFar, int at) {
    long[] wide = soFar;
    for (int i = at; i < at + count; i++) {
      if (narrow[i] == (byte) References.WIDE && wide == null) {
        wide = new long[PAGE];
        for (int k = 0; k < at; k++) {
          wide[k] = narrow[k] & 0xff;
        }
        break;
      }
    }
    if (wide != null) {
      for (int i = 0; i < count; i++) {
        wide[at + i] = RefcountBlock.get(piece, order, i);
      }
    }
    return wide;
  }

  @Override
  public void close() {
    reader.close();
  }
}
