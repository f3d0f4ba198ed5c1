package hawser.block.format.qcow2.check;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.CheckReport;

/**
 * What one walk has found so far, and to whom it says so. In a quick walk the first finding only
 * marks the walk as {@link #odd()}: it is then walked again, slowly and in order. Used by one
 * thread.
 */
final class Tally {
  private final CheckListener listener;
  private final boolean quick;
  private volatile boolean odd;
  private long corruptions;
  private long checkErrors;
  private long leaks;
  private long done;
  private long total;
  long allocated;
  long fragmented;
  long compressed;

  Tally(CheckListener listener, boolean quick) {
    this.listener = listener;
    this.quick = quick;
  }

  boolean quick() {
    return quick;
  }

  /** Whether a quick walk met something that must be told. */
  boolean odd() {
    return odd;
  }

  void corruption(String text) {
    corruptions++;
    say(text);
  }

  void checkError(String text) {
    checkErrors++;
    say(text);
  }

  void leak(String text) {
    leaks++;
    say(text);
  }

  private void say(String text) {
    if (quick) {
      odd = true;
    } else {
      listener.line(text);
    }
  }

  /** A corruption that QEMU counts and does not name. */
  void silentCorruption() {
    corruptions++;
    odd |= quick;
  }

  void overflow(long cluster, int clusterBits) {
    corruption(
        "ERROR: overflow cluster offset=0x%x\n".formatted(cluster << clusterBits)
            + "Use qemu-img amend to increase the refcount entry width or qemu-img convert to"
            + " create a clean copy if the image cannot be opened for writing");
  }

  /** Says how far it is and ends the check when it is to end. */
  void step(long steps) throws BlockFault {
    done += steps;
    listener.progress(done, Math.max(done, total));
    if (listener.cancelled()) {
      throw BlockFault.of(Errno.ECANCELED, "Check failed");
    }
  }

  void expect(long steps) {
    total += steps;
  }

  /** Marks a quick walk as one that must be done again closely. */
  void markOdd() {
    odd = true;
  }

  /** The same numbers, for what follows a quick walk that found nothing. */
  Tally loud() {
    var loud = new Tally(listener, false);
    loud.allocated = allocated;
    loud.fragmented = fragmented;
    loud.compressed = compressed;
    loud.done = done;
    loud.total = total;
    return loud;
  }

  /** Corruptions that were told before the walk. */
  void addCorruptions(long count) {
    corruptions += count;
  }

  CheckListener listener() {
    return listener;
  }

  /** Whether nothing was found. */
  boolean clean() {
    return corruptions == 0 && leaks == 0 && checkErrors == 0;
  }

  CheckReport result(long imageEndOffset, long totalClusters) {
    return new CheckReport(
        checkErrors,
        corruptions,
        leaks,
        0,
        0,
        imageEndOffset,
        totalClusters,
        allocated,
        fragmented,
        compressed);
  }
}
