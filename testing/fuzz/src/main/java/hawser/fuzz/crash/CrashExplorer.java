package hawser.fuzz.crash;

import hawser.base.BlockFault;
import hawser.block.CheckReport;
import hawser.block.OpenMode;
import hawser.block.Options;
import hawser.block.format.qcow2.Qcow2Driver;
import hawser.block.format.qcow2.Qcow2Node;
import hawser.block.format.qcow2.check.CheckLimits;
import hawser.block.format.qcow2.check.Qcow2Check;
import hawser.block.format.qcow2.layout.IncompatibleFeature;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.testkit.node.MemoryNode;
import java.util.Random;
import java.util.function.Consumer;

/**
 * Replays what a workload did to the image's file, and to an external data file, stops after every
 * single operation, and looks at what a crash there could leave. Each state must check without
 * corruption (leaks are allowed), give back all that was flushed, and keep an internal snapshot as
 * it was; a persistent bitmap is in use or tells of every change; a raw data file holds the disk.
 */
public final class CrashExplorer {
  /** Enough that clusters are freed and taken again. */
  private static final int REQUESTS = 60;

  private static final CheckLimits LIMITS = new CheckLimits(64L << 20, 1);

  private final Workload work;
  private final Random dice;
  private final Consumer<Crash.Left> sample;
  private long states;

  private CrashExplorer(long seed, int requests, Consumer<Crash.Left> sample) throws BlockFault {
    this.work = new Workload(seed, requests);
    this.dice = new Random(seed);
    this.sample = sample;
  }

  /**
   * Explores one workload.
   *
   * @param seed what the workload follows from
   * @param requests how many it consists of
   * @param sample gets some of the states
   * @return how many states were looked at
   * @throws AssertionError when a state is corrupt or lost something; names the seed and the state
   */
  static long explore(long seed, int requests, Consumer<Crash.Left> sample) throws BlockFault {
    return new CrashExplorer(seed, requests, sample).run(seed);
  }

  private long run(long seed) throws BlockFault {
    var crash = new Crash(work);
    var model = new DiskModel(work.firstTags());
    int next = 0;
    boolean begun = false;
    do {
      // A flush that did nothing ends before the next request begins, though at the same count.
      while (next < work.steps().size() && work.steps().get(next).from() <= crash.done()) {
        Workload.Step step = work.steps().get(next);
        if (!begun) {
          begin(model, step.change());
        }
        begun = step.to() > crash.done();
        if (begun) {
          break;
        }
        end(model, step.change());
        next++;
      }
      try {
        for (Crash.Left left : crash.possible(dice)) {
          judge(left, model);
        }
      } catch (AssertionError | BlockFault e) {
        throw new AssertionError(
            "seed %d, %s, %s: after operation %d of %d: %s"
                .formatted(
                    seed,
                    work.shape(),
                    work.companions(),
                    crash.done(),
                    work.count(),
                    e.getMessage()),
            e);
      }
    } while (crash.advance());
    work.companions().requireBitmaps(crash.whole().image());
    return states;
  }

  /** What a request may already have done before it returns. */
  private static void begin(DiskModel model, Workload.Change change) {
    switch (change) {
      case Workload.Change.Write(int first, int count, byte tag) -> model.write(first, count, tag);
      case Workload.Change.Discard(int first, var tags) -> {
        for (int i = 0; i < tags.size(); i++) {
          model.discarded(first + i, tags.get(i));
        }
      }
      case Workload.Change.Grow(int sectors) -> model.grow(sectors);
      case Workload.Change.Flush _ -> {}
    }
  }

  private static void end(DiskModel model, Workload.Change change) {
    if (change instanceof Workload.Change.Flush) {
      model.flush();
    }
  }

  private void judge(Crash.Left left, DiskModel model) throws BlockFault {
    MemoryNode image = left.image();
    states++;
    if (Qcow2Header.read(image).has(IncompatibleFeature.DIRTY)) {
      // Opening for writing rebuilds the refcounts, closing leaves a clean image.
      open(left, OpenMode.WRITE).close();
    }
    if (dice.nextInt(300) == 0) {
      sample.accept(left);
    }
    var lines = new StringBuilder();
    CheckReport report = Qcow2Check.run(image.copy(), line -> lines.append(line), LIMITS);
    if (report.corruptions() != 0 || report.checkErrors() != 0) {
      throw new AssertionError("the image is corrupt: " + lines);
    }
    try (Qcow2Node node = open(left, OpenMode.READ)) {
      byte[] held = Workload.tags(node);
      allowed(model, "sector", held);
      if (left.data() != null && work.shape().dataFileRaw()) {
        allowed(model, "sector of the raw file", Workload.tags(left.data()));
      }
      work.companions().judgeBitmaps(node, held);
    }
    work.companions().judgeSnapshot(image);
  }

  private static void allowed(DiskModel model, String what, byte[] held) {
    for (int i = 0; i < held.length; i++) {
      if (!model.allows(i, held[i])) {
        throw new AssertionError(
            "%s %d holds %d, may hold %s".formatted(what, i, held[i], model.allowed(i)));
      }
    }
  }

  private Qcow2Node open(Crash.Left left, OpenMode mode) throws BlockFault {
    return Qcow2Driver.openOver(
        left.image(),
        left.data(),
        Workload.copyOf(work.backing()),
        new Options(),
        mode,
        text -> {});
  }

  /**
   * Explores workloads one after the other until one fails or the time is over.
   *
   * @param args the seed to begin with, and for how many seconds
   */
  public static void main(String[] args) throws BlockFault {
    long seed = Long.parseLong(args[0]);
    long end = System.nanoTime() + Long.parseLong(args[1]) * 1_000_000_000L;
    long workloads = 0;
    long states = 0;
    do {
      states += explore(seed + workloads, REQUESTS, left -> {});
      workloads++;
    } while (System.nanoTime() - end < 0);
    System.out.println(
        "fuzz crash: %d workloads from seed %d, %d states, none corrupt, nothing lost"
            .formatted(workloads, seed, states));
  }
}
