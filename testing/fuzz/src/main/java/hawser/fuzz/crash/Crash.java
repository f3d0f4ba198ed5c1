package hawser.fuzz.crash;

import hawser.base.BlockFault;
import hawser.testkit.node.CrashStates;
import hawser.testkit.node.MemoryNode;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Walks through what a workload did to its image and, where it has one, to the data file beside it,
 * and tells what a crash there could leave of both: what one file keeps says nothing of the other.
 */
final class Crash {
  private static final int SUBSETS_UP_TO = 4;
  private static final int TORN_STATES = 3;

  private final Workload work;
  private final CrashStates image;
  private final @Nullable CrashStates data;
  private int done;

  /** What is left of both files. */
  record Left(MemoryNode image, @Nullable MemoryNode data) {}

  /** Begins before the first operation. */
  Crash(Workload work) {
    this.work = work;
    this.image = new CrashStates(work.empty(), work.operations());
    MemoryNode emptyData = work.emptyData();
    this.data = emptyData == null ? null : new CrashStates(emptyData, work.dataOperations());
  }

  /** How many operations have been passed. */
  int done() {
    return done;
  }

  /** Passes one more operation; false when there are no more. */
  boolean advance() throws BlockFault {
    if (done == work.count()) {
      return false;
    }
    CrashStates next = data != null && work.onData(done) ? data : image;
    done++;
    return next.advance();
  }

  /** What is left if nothing is lost. */
  Left whole() throws BlockFault {
    return new Left(image.whole(), data == null ? null : data.whole());
  }

  /**
   * What a crash can leave here: every subset of the operations that are not flushed while they are
   * few, random torn and reordered ones when they are many.
   */
  List<Left> possible(Random dice) throws BlockFault {
    var found = new ArrayList<Left>();
    found.add(whole());
    found.add(new Left(image.least(), data == null ? null : data.least()));
    if (data != null) {
      found.add(new Left(image.whole(), data.least()));
      found.add(new Left(image.least(), data.whole()));
    }
    int pending = image.pending().size();
    int all = pending + (data == null ? 0 : data.pending().size());
    for (long bits = 1; all <= SUBSETS_UP_TO && bits < (1L << all) - 1; bits++) {
      BitSet kept = BitSet.valueOf(new long[] {bits});
      MemoryNode beside = data == null ? null : data.keeping(kept.get(pending, all));
      found.add(new Left(image.keeping(kept.get(0, pending)), beside));
    }
    for (int i = 0; all > 0 && i < TORN_STATES; i++) {
      found.add(new Left(image.torn(dice), data == null ? null : data.torn(dice)));
    }
    return found;
  }
}
