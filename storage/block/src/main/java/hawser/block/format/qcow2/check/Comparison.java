package hawser.block.format.qcow2.check;

import hawser.base.BlockFault;
import java.util.Arrays;

/** Compares the counted references with the stored refcounts. Used by one thread. */
final class Comparison {
  private final References references;
  private final StoredRefcounts stored;
  private final Tally tally;

  Comparison(References references, StoredRefcounts stored, Tally tally) {
    this.references = references;
    this.stored = stored;
    this.tally = tally;
  }

  /** Compares page by page; the index of the last cluster that is referenced or claimed. */
  long run() throws BlockFault {
    long highest = 0;
    long clusters = references.clusters();
    long pages = (clusters + References.PAGE_CLUSTERS - 1) / References.PAGE_CLUSTERS;
    tally.expect(pages);
    for (int number = 0; number < pages; number++) {
      byte[] counted = references.page(number);
      RefcountPage page = stored.page(number);
      long first = (long) number * References.PAGE_CLUSTERS;
      int count = (int) Math.min(References.PAGE_CLUSTERS, clusters - first);
      if (counted != null || !page.nothing()) {
        highest = Math.max(highest, comparePage(page, first, count));
      }
      tally.step(1);
    }
    return highest;
  }

  private long comparePage(RefcountPage page, long first, int count) {
    byte[] counted = references.page((int) (first / References.PAGE_CLUSTERS));
    if (counted == null) {
      counted = RefcountPage.ZERO.narrow();
    }
    byte[] narrow = page.narrow();
    boolean simple = page.wide() == null && page.unreadable() == null;
    int at = simple ? Arrays.mismatch(counted, 0, count, narrow, 0, count) : 0;
    while (at >= 0 && at < count) {
      compareCluster(page, first + at);
      at++;
      if (simple) {
        int next = Arrays.mismatch(counted, at, count, narrow, at, count);
        at = next < 0 ? count : at + next;
      }
    }
    for (int i = count - 1; i >= 0; i--) {
      if (page.readable(i) && (narrow[i] != 0 || counted[i] != 0)) {
        return first + i;
      }
    }
    return 0;
  }

  private void compareCluster(RefcountPage page, long cluster) {
    int index = (int) (cluster % References.PAGE_CLUSTERS);
    if (!page.readable(index)) {
      stored.complain(cluster, tally.listener());
      tally.checkError("Can't get refcount for cluster " + cluster + ": Input/output error");
      return;
    }
    long refcount = page.get(index);
    long reference = references.get(cluster);
    if (refcount == reference) {
      return;
    }
    String text =
        " cluster %d refcount=%s reference=%d"
            .formatted(cluster, Long.toUnsignedString(refcount), reference);
    if (Long.compareUnsigned(refcount, reference) < 0) {
      tally.corruption("ERROR" + text);
    } else {
      tally.leak("Leaked" + text);
    }
  }
}
