package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.base.Ranges;
import hawser.block.DirtyBitmap;
import java.util.Arrays;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A bitmap in memory, in pages that are a cluster of the file each; pages without a bit are not
 * there. Bits are set and never cleared.
 */
final class RecordedBitmap implements DirtyBitmap {
  private final String name;
  private final int granularityBits;
  private final boolean recording;
  private final int pageBits;
  private final SortedMap<Integer, long[]> pages = new TreeMap<>();

  /** An empty one whose pages fill clusters of {@code clusterBytes}. */
  RecordedBitmap(String name, long granularity, boolean recording, int clusterBytes) {
    this.name = name;
    this.granularityBits = Long.numberOfTrailingZeros(granularity);
    this.recording = recording;
    this.pageBits = Integer.numberOfTrailingZeros(clusterBytes) + 3;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public long granularity() {
    return 1L << granularityBits;
  }

  @Override
  public boolean recording() {
    return recording;
  }

  @Override
  public boolean inconsistent() {
    return false;
  }

  /** The pages by their number, each a cluster of the stored bitmap. */
  synchronized SortedMap<Integer, long[]> pages() {
    return new TreeMap<>(pages);
  }

  /** Sets the bits that another bitmap of a disk of {@code length} bytes has. */
  void add(DirtyBitmap other, long length) throws BlockFault {
    long at = 0;
    while (at < length) {
      long end = other.runEnd(at, length);
      if (other.dirtyAt(at)) {
        mark(at, end - at);
      }
      at = end;
    }
  }

  /** Sets the bits of a range. */
  synchronized void mark(long offset, long bytes) {
    if (bytes == 0) {
      return;
    }
    long first = offset >>> granularityBits;
    long last = (offset + bytes - 1) >>> granularityBits;
    for (long page = first >>> pageBits; page <= last >>> pageBits; page++) {
      long[] words = pages.get((int) page);
      if (words == null) {
        words = new long[1 << (pageBits - 6)];
        pages.put((int) page, words);
      }
      long start = page << pageBits;
      set(words, Math.max(0, first - start), Math.min((1L << pageBits) - 1, last - start));
    }
  }

  private static void set(long[] words, long from, long to) {
    int first = (int) (from >>> 6);
    int last = (int) (to >>> 6);
    long head = -1L << (from & 63);
    long tail = -1L >>> (63 - (to & 63));
    if (first == last) {
      words[first] |= head & tail;
    } else {
      words[first] |= head;
      Arrays.fill(words, first + 1, last, -1L);
      words[last] |= tail;
    }
  }

  @Override
  public synchronized boolean dirtyAt(long offset) {
    return bit(offset >>> granularityBits);
  }

  private boolean bit(long index) {
    long[] words = pages.get((int) (index >>> pageBits));
    return words != null && (words[word(index)] >>> (index & 63) & 1) != 0;
  }

  private int word(long index) {
    return (int) (index & ((1L << pageBits) - 1)) >>> 6;
  }

  @Override
  public synchronized long runEnd(long offset, long end) {
    long limit = Ranges.unitsFor(end, granularity());
    long at = offset >>> granularityBits;
    boolean dirty = bit(at);
    while (at < limit) {
      long[] words = pages.get((int) (at >>> pageBits));
      if (words == null) {
        if (dirty) {
          break;
        }
        at = ((at >>> pageBits) + 1) << pageBits;
        continue;
      }
      long differing = (words[word(at)] ^ (dirty ? -1L : 0)) >>> (at & 63);
      if (differing != 0) {
        at += Long.numberOfTrailingZeros(differing);
        break;
      }
      at += 64 - (at & 63);
    }
    return Math.min(end, at << granularityBits);
  }
}
