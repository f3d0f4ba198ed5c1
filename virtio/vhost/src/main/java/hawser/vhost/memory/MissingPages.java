package hawser.vhost.memory;

import hawser.base.PeerFault;
import hawser.base.Ranges;
import hawser.sys.FileCalls;
import hawser.sys.MemoryCalls;
import hawser.sys.Result;
import hawser.sys.UserFault;
import java.util.ArrayList;
import java.util.List;

/**
 * Pages of guest memory that are still where the guest came from (vhost-user, "Postcopy
 * migration"): the front-end holds a userfaultfd too, hears of each that somebody here waits for,
 * and brings it.
 *
 * <p>No Java code may touch such a page: the thread would sit in its fault, where no safepoint
 * reaches it, and the whole process with it. So whoever finds an address first waits for its pages,
 * in a native call. Safe from any thread.
 */
public final class MissingPages implements AutoCloseable {
  private static final long PAGE_BYTES = 4096;

  private final int fd;
  private final List<MappedRegion> regions = new ArrayList<>();
  private volatile boolean lost;

  private MissingPages(int fd) {
    this.fd = fd;
  }

  /** Whether this process may have its faults served by another, those within the kernel too. */
  public static boolean possible() {
    if (Result.failed(MemoryCalls.canPopulate())) {
      return false;
    }
    long fd = UserFault.open();
    if (Result.failed(fd)) {
      return false;
    }
    FileCalls.close((int) fd);
    return true;
  }

  /**
   * Nothing is missing yet.
   *
   * @throws PeerFault when this process may not
   */
  public static MissingPages open() {
    long fd = UserFault.open();
    if (Result.failed(fd)) {
      throw new PeerFault("POSTCOPY_ADVISE: userfaultfd: " + Result.errno(fd).text());
    }
    return new MissingPages((int) fd);
  }

  /** The userfaultfd once more, for the front-end; the caller's to close. */
  public int descriptor() {
    long copy = FileCalls.duplicate(fd);
    if (Result.failed(copy)) {
      throw new PeerFault("POSTCOPY_ADVISE: userfaultfd: " + Result.errno(copy).text());
    }
    return (int) copy;
  }

  /** What is missing in a region is waited for from now on; nobody has touched it before. */
  synchronized void expect(MappedRegion region) {
    checkNotLost();
    // In a huge page the front-end could not wake who waits for a neighbour. EINVAL: there are none
    // unasked.
    long _ = MemoryCalls.withoutHugePages(region.mapping(), region.mappedBytes());
    long result = UserFault.register(fd, region.mapping(), region.mappedBytes());
    if (Result.failed(result)) {
      throw new PeerFault(
          "memory region %s: userfaultfd: %s"
              .formatted(region.region(), Result.errno(result).text()));
    }
    regions.add(region);
  }

  synchronized void forget(MappedRegion region) {
    regions.remove(region);
  }

  /**
   * Returns when a host range is there.
   *
   * @throws PeerFault when it never will be
   */
  void await(long host, long bytes) {
    long start = Ranges.alignDown(host, PAGE_BYTES);
    // Where the file has become shorter this fails, and whoever touches it finds out as always.
    long _ = MemoryCalls.populate(start, Ranges.alignUp(host + bytes, PAGE_BYTES) - start);
    checkNotLost();
  }

  private void checkNotLost() {
    if (lost) {
      throw new PeerFault("postcopy: the front-end left before all memory had come");
    }
  }

  /** The front-end is gone: who waits gets a fault rather than zeroes for what never came. */
  public void giveUp() {
    lost = true;
    arrived();
  }

  /** All is there: nothing is waited for any more. */
  public synchronized void arrived() {
    for (MappedRegion region : regions) {
      UserFault.unregister(fd, region.mapping(), region.mappedBytes());
    }
    regions.clear();
  }

  /** Gives the descriptor back; nobody may wait any more. */
  @Override
  public void close() {
    FileCalls.close(fd);
  }
}
