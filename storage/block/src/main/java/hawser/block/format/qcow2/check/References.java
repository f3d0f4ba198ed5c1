package hawser.block.format.qcow2.check;

import hawser.base.BlockFault;
import hawser.base.Errno;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * How often each cluster of a file is referenced. One byte for each cluster, five from 255
 * references on, in pages that come into being when the first cluster of them is referenced: a
 * sparse file costs what is in it, not what it claims. Counting is safe from any thread; reading is
 * for when counting is over.
 */
public final class References {
  /** Clusters of a page. */
  static final int PAGE_CLUSTERS = 1 << 15;

  /** The byte that says "see the wide page". */
  static final int WIDE = 255;

  private static final int LOCKS = 64;

  private final long refcountMax;
  private final CheckLimits limits;
  private final byte[] @Nullable [] pages;
  private final int[] @Nullable [] widePages;
  private final AtomicLong used = new AtomicLong();
  private final Object[] locks = new Object[LOCKS];
  private volatile long clusters;

  /** What becomes of a reference that the image's refcount width cannot count. */
  @FunctionalInterface
  interface Overflow {
    /** Called once for each reference too many. */
    void at(long cluster);
  }

  References(long clusters, long refcountMax, CheckLimits limits) {
    this.clusters = clusters;
    this.refcountMax = refcountMax;
    this.limits = limits;
    // One page more than there are clusters: the last reference may reach beyond the file's end.
    int count = (int) (clusters / PAGE_CLUSTERS) + 2;
    this.pages = new byte[count][];
    this.widePages = new int[count][];
    for (int i = 0; i < LOCKS; i++) {
      locks[i] = new Object();
    }
  }

  /** How many clusters the file has, one more when a reference goes that far beyond its end. */
  public long clusters() {
    return clusters;
  }

  /** Counts one reference to each cluster from {@code first} to {@code last}. */
  void add(long first, long last, Overflow overflow) throws BlockFault {
    if (first < 0 || last / PAGE_CLUSTERS >= pages.length) {
      throw BlockFault.of(Errno.ENOMEM, "Check failed");
    }
    if (last >= clusters) {
      clusters = last + 1;
    }
    long at = first;
    while (at <= last) {
      int page = (int) (at / PAGE_CLUSTERS);
      int from = (int) (at % PAGE_CLUSTERS);
      int to = (int) Math.min(PAGE_CLUSTERS, from + (last - at) + 1);
      synchronized (locks[page % LOCKS]) {
        addInPage(page, from, to, overflow);
      }
      at += to - from;
    }
  }

  private void addInPage(int number, int from, int to, Overflow overflow) throws BlockFault {
    byte[] page = pages[number];
    if (page == null) {
      take(PAGE_CLUSTERS);
      page = new byte[PAGE_CLUSTERS];
      pages[number] = page;
    }
    int narrowMax =
        (int) (Long.compareUnsigned(refcountMax, WIDE - 1) < 0 ? refcountMax : WIDE - 1);
    for (int i = from; i < to; i++) {
      int count = page[i] & 0xff;
      if (count < narrowMax) {
        page[i] = (byte) (count + 1);
      } else {
        addWide(number, page, i, overflow);
      }
    }
  }

  private void addWide(int number, byte[] page, int index, Overflow overflow) throws BlockFault {
    long cluster = (long) number * PAGE_CLUSTERS + index;
    int[] wide = widePages[number];
    int count = page[index] & 0xff;
    if (count == WIDE && wide != null) {
      count = wide[index];
    }
    if (refcountMax >= 0 && count >= refcountMax) {
      overflow.at(cluster);
      return;
    }
    if (count == Integer.MAX_VALUE) {
      throw BlockFault.of(Errno.EOVERFLOW, "Check failed");
    }
    if (wide == null) {
      take(4L * PAGE_CLUSTERS);
      wide = new int[PAGE_CLUSTERS];
      widePages[number] = wide;
    }
    page[index] = (byte) WIDE;
    wide[index] = count + 1;
  }

  private void take(long bytes) throws BlockFault {
    if (used.addAndGet(bytes) > limits.memoryBytes()) {
      throw BlockFault.of(Errno.ENOMEM, "Check failed");
    }
  }

  /** The references to a cluster; 0 beyond {@link #clusters()}. */
  public long get(long cluster) {
    int number = (int) (cluster / PAGE_CLUSTERS);
    int index = (int) (cluster % PAGE_CLUSTERS);
    byte[] page = number < pages.length ? pages[number] : null;
    if (page == null) {
      return 0;
    }
    int count = page[index] & 0xff;
    int[] wide = widePages[number];
    return count == WIDE && wide != null ? wide[index] : count;
  }

  /** The counts of a page as bytes, {@link #WIDE} for large ones; null when all are 0. */
  byte @Nullable [] page(int number) {
    return pages[number];
  }
}
