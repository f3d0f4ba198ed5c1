package hawser.block.format.qcow2.check;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.format.qcow2.layout.Geometry;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Scans many L2 tables at once, on as many threads as are worth starting. Tables that lie one
 * behind the other are read in one request.
 */
final class QuickPass {
  /** Fewer bytes of tables than this are scanned before another thread has started. */
  private static final long BYTES_PER_THREAD_MIN = 4 << 20;

  private final PaddedFile file;
  private final Geometry geometry;
  private final CheckLimits limits;
  private final long fileLength;
  private final References references;
  private final @Nullable StoredRefcounts stored;
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicReference<@Nullable BlockFault> failed = new AtomicReference<>();
  private volatile boolean stopped;

  QuickPass(
      PaddedFile file,
      Geometry geometry,
      CheckLimits limits,
      References references,
      @Nullable StoredRefcounts stored) {
    this.file = file;
    this.geometry = geometry;
    this.limits = limits;
    this.fileLength = file.storedLength();
    this.references = references;
    this.stored = stored;
  }

  /**
   * Scans the tables at these offsets and, for active ones, adds up what they store.
   *
   * @return whether every "copied" flag is right
   */
  boolean run(long[] tables, int count, boolean active, Tally tally) throws BlockFault {
    next.set(0);
    long bytes = (long) count << geometry.clusterBits();
    int threads = Math.clamp(bytes / BYTES_PER_THREAD_MIN, 1, limits.threads());
    var scans = new ArrayList<QuickScan>();
    for (int i = 0; i < threads; i++) {
      scans.add(new QuickScan(geometry, references, stored, fileLength));
    }
    var started = new ArrayList<Thread>();
    for (QuickScan scan : scans.subList(1, threads)) {
      started.add(
          Thread.ofPlatform()
              .name("hawser-check")
              .daemon()
              .start(() -> work(scan, tables, count, null)));
    }
    work(scans.getFirst(), tables, count, tally);
    join(started);
    BlockFault fault = failed.get();
    if (fault != null) {
      throw fault;
    }
    if (stopped) {
      tally.markOdd();
    }
    boolean copiedRight = true;
    for (QuickScan scan : scans) {
      if (active) {
        tally.allocated += scan.allocated;
        tally.fragmented += scan.fragmented;
        tally.compressed += scan.compressed;
      }
      copiedRight &= !scan.copiedWrong();
    }
    tally.step(count);
    return copiedRight;
  }

  /** Takes tables until none are left; {@code tally} hears of it on the caller's own thread. */
  private void work(QuickScan scan, long[] tables, int count, @Nullable Tally tally) {
    int entries = geometry.clusterBytes() / 8;
    int batch =
        Math.clamp(TableReader.BUFFER_BYTES / geometry.clusterBytes(), 1, Math.max(1, count));
    long[] read = new long[batch * entries];
    try (var reader = new TableReader(file)) {
      for (int at = next.getAndAdd(batch); at < count && !stopped; at = next.getAndAdd(batch)) {
        int end = Math.min(count, at + batch);
        while (at < end && !stopped) {
          int together = neighbours(tables, at, end);
          reader.read(tables[at], read, together * entries);
          for (int i = 0; i < together; i++) {
            if (!scan.scan(read, i * entries, entries)) {
              stopped = true;
              return;
            }
          }
          at += together;
        }
        if (tally != null) {
          tally.step(0);
        }
      }
    } catch (BlockFault fault) {
      failed.compareAndSet(null, fault);
      stopped = true;
    }
  }

  /** How many tables from {@code at} on lie one behind the other. */
  private int neighbours(long[] tables, int at, int end) {
    int together = 1;
    while (at + together < end
        && tables[at + together] == tables[at + together - 1] + geometry.clusterBytes()) {
      together++;
    }
    return together;
  }

  private void join(List<Thread> threads) throws BlockFault {
    boolean interrupted = false;
    for (Thread thread : threads) {
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException _) {
          // The workers use this check's buffers: they end first, then the caller is told.
          interrupted = true;
          stopped = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
      throw BlockFault.of(Errno.ECANCELED, "Check failed");
    }
  }
}
