package hawser.tools.nbdcopy;

import hawser.base.BlockFault;
import hawser.base.ThreadEnd;
import java.util.ArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Copies in parallel lanes. A lane takes a range of the disk at a time, so that its requests stay
 * close together, and has a connection of its own to each server.
 */
final class LaneCopy {
  /** What a lane takes at a time. */
  private static final long RANGE_BYTES = 128L << 20;

  private final End source;
  private final End target;
  private final CopyOptions options;
  private final boolean targetIsZero;
  private final Progress progress;
  private final AtomicLong next = new AtomicLong();
  private final AtomicReference<@Nullable BlockFault> failed = new AtomicReference<>();
  private final AtomicReference<@Nullable Throwable> broken = new AtomicReference<>();
  private long size;
  private long rangeBytes = RANGE_BYTES;

  LaneCopy(End source, End target, CopyOptions options, boolean targetIsZero, Progress progress) {
    this.source = source;
    this.target = target;
    this.options = options;
    this.targetIsZero = targetIsZero;
    this.progress = progress;
  }

  void run(long bytes) throws BlockFault {
    size = bytes;
    int count = lanes();
    // A small disk is shared out evenly.
    long share = (bytes + count - 1) / count;
    rangeBytes = Math.min(RANGE_BYTES, Math.max(options.requestBytes, roundUp(share)));
    var threads = new ArrayList<Thread>();
    for (int i = 0; i < count; i++) {
      var lane = new Lane(this, i, options.window(count));
      threads.add(
          Thread.ofPlatform()
              .name("copy-" + i)
              .uncaughtExceptionHandler((thread, fault) -> broken.set(fault))
              .start(lane));
    }
    threads.forEach(ThreadEnd::await);
    if (broken.get() != null) {
      throw new AssertionError("a lane of the copy ended", broken.get());
    }
    BlockFault fault = failed.get();
    if (fault != null) {
      throw fault;
    }
    if (options.flush) {
      Lane.flush(target);
    }
  }

  private long roundUp(long bytes) {
    return (bytes + options.requestBytes - 1) / options.requestBytes * options.requestBytes;
  }

  /** One for each connection, but no more than threads are wanted. */
  private int lanes() {
    int lanes = options.threads > 0 ? options.threads : Runtime.getRuntime().availableProcessors();
    if (source instanceof End.Server(var connections, var _)) {
      lanes = Math.min(lanes, connections.size());
    }
    if (target instanceof End.Server(var connections, var _)) {
      lanes = Math.min(lanes, connections.size());
    }
    return lanes;
  }

  End source() {
    return source;
  }

  End target() {
    return target;
  }

  CopyOptions options() {
    return options;
  }

  boolean targetIsZero() {
    return targetIsZero;
  }

  Progress progress() {
    return progress;
  }

  /** The start of the next range for a lane, or -1. */
  long takeRange() {
    if (failed.get() != null) {
      return -1;
    }
    long start = next.getAndAdd(rangeBytes);
    return start < size ? start : -1;
  }

  long rangeEnd(long start) {
    return Math.min(size, start + rangeBytes);
  }

  void fail(BlockFault fault) {
    failed.compareAndSet(null, fault);
  }

  boolean hasFailed() {
    return failed.get() != null;
  }
}
