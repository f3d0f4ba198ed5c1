package hawser.vhost.memory;

import hawser.base.PeerFault;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where guest memory lies in this process, at one moment. Never changes; the mappings behind it
 * stay until every user has got its successor.
 */
public final class MemoryTable {
  /** No memory at all. */
  public static final MemoryTable EMPTY = new MemoryTable(List.of(), null);

  private final long[] guest;
  private final long[] size;
  private final long[] user;
  private final long[] host;
  private final @Nullable MissingPages missing;

  MemoryTable(List<MappedRegion> regions, @Nullable MissingPages missing) {
    this.missing = missing;
    List<MappedRegion> sorted =
        regions.stream()
            .sorted(Comparator.comparingLong((MappedRegion r) -> r.region().guestAddress()))
            .toList();
    guest = sorted.stream().mapToLong(r -> r.region().guestAddress()).toArray();
    size = sorted.stream().mapToLong(r -> r.region().size()).toArray();
    user = sorted.stream().mapToLong(r -> r.region().userAddress()).toArray();
    host = sorted.stream().mapToLong(MappedRegion::hostAddress).toArray();
  }

  /** The region that a guest address lies in, or -1. {@code hint} is the likely one. */
  int region(long address, int hint) {
    if (hint < guest.length && Long.compareUnsigned(address - guest[hint], size[hint]) < 0) {
      return hint;
    }
    int low = 0;
    int high = guest.length - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (address < guest[middle]) {
        high = middle - 1;
      } else if (address - guest[middle] >= size[middle]) {
        low = middle + 1;
      } else {
        return middle;
      }
    }
    return -1;
  }

  /** Bytes from a guest address to the end of its region. */
  long left(int region, long address) {
    return size[region] - (address - guest[region]);
  }

  long hostAddress(int region, long address) {
    return host[region] + (address - guest[region]);
  }

  /**
   * Returns when what lies at host addresses may be touched: at once, but for memory that is still
   * on its way.
   *
   * @throws PeerFault when it will never come
   */
  public void await(long host, long bytes) {
    if (missing != null) {
      missing.await(host, bytes);
    }
  }

  /**
   * The host address of a range in the front-end's own address space, or 0 where it is not all in
   * one region.
   */
  public long ofUserAddress(long address, long bytes) {
    return search(user, address, bytes);
  }

  /** The guest address of one in the front-end's own address space, or -1. */
  public long guestAddress(long userAddress) {
    for (int i = 0; i < user.length; i++) {
      long at = userAddress - user[i];
      if (at >= 0 && at < size[i]) {
        return guest[i] + at;
      }
    }
    return -1;
  }

  /** The host address of a guest range, or 0 where it is not all in one region. */
  public long ofGuestAddress(long address, long bytes) {
    return search(guest, address, bytes);
  }

  private long search(long[] starts, long address, long bytes) {
    for (int i = 0; i < starts.length; i++) {
      long at = address - starts[i];
      if (at >= 0 && at < size[i] && bytes <= size[i] - at) {
        return host[i] + at;
      }
    }
    return 0;
  }
}
