package hawser.vhost.memory;

import hawser.base.PeerFault;
import hawser.vhost.message.IotlbEntry;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Translations of the addresses that a driver behind an IOMMU uses, as far as the front-end has
 * told them (vhost-user, "IOMMU support"). What is missing is asked for. Safe from any thread.
 */
public final class Iotlb {
  /** Translations kept, each of a page or more; what goes is asked for again. */
  static final int ENTRIES_MAX = 1 << 16;

  /** How long the front-end may take; it says nothing where there is no translation. */
  private static final long PATIENCE_NANOS = 10_000_000_000L;

  /** How often a queue that waits looks whether it has been told to stop. */
  private static final int LOOK_MILLIS = 5;

  private final TreeMap<Long, Mapping> mappings = new TreeMap<>(Long::compareUnsigned);

  /** What was asked for and not given yet, with the permission that is needed. */
  private final Map<Long, Integer> asked = new HashMap<>();

  private final Miss miss;

  /** Asks the front-end for what is missing; must not wait for the answer. */
  @FunctionalInterface
  public interface Miss {
    /** The device wants to access an address, as {@link IotlbEntry#permission} says. */
    void ask(long iova, int permission);
  }

  /**
   * A translation.
   *
   * @param iova what the device is told
   * @param size bytes
   * @param host where it is in this process
   * @param guest where the guest has it, for the dirty log
   */
  record Mapping(long iova, long size, long host, long guest, int permission) {
    boolean allows(int wanted) {
      return (permission & wanted) == wanted;
    }

    /** Bytes from an address in it to its end. */
    long left(long address) {
      return size - (address - iova);
    }
  }

  /** Nothing translated yet. */
  public Iotlb(Miss miss) {
    this.miss = miss;
  }

  /**
   * Takes a translation, in the place of what it overlaps.
   *
   * @param guestAddresses whether the front-end gives guest addresses for its own (GPA_ADDRESSES)
   * @throws PeerFault when it leads outside the memory that is shared
   */
  public synchronized void update(IotlbEntry entry, MemoryTable memory, boolean guestAddresses) {
    long user = entry.userAddress();
    long size = entry.size();
    long host =
        guestAddresses ? memory.ofGuestAddress(user, size) : memory.ofUserAddress(user, size);
    if (size <= 0 || host == 0) {
      throw new PeerFault(
          "IOTLB_MSG: %#x bytes at %#x are not in one memory region".formatted(size, user));
    }
    long guest = guestAddresses ? user : memory.guestAddress(user);
    remove(entry.iova(), size);
    asked
        .entrySet()
        .removeIf(
            each ->
                entry.overlaps(each.getKey(), 1) && (each.getValue() & ~entry.permission()) == 0);
    if (mappings.size() >= ENTRIES_MAX) {
      clear();
    }
    mappings.put(entry.iova(), new Mapping(entry.iova(), size, host, guest, entry.permission()));
    notifyAll();
  }

  /** Forgets translations of a range. */
  public synchronized void invalidate(IotlbEntry range) {
    remove(range.iova(), range.size());
    asked.keySet().removeIf(at -> range.overlaps(at, 1));
  }

  private void remove(long iova, long size) {
    long last = IotlbEntry.last(iova, size);
    Map.@Nullable Entry<Long, Mapping> entry = mappings.floorEntry(last);
    while (entry != null
        && Long.compareUnsigned(IotlbEntry.last(entry.getKey(), entry.getValue().size()), iova)
            >= 0) {
      mappings.remove(entry.getKey());
      entry = mappings.floorEntry(last);
    }
  }

  /** Forgets all, for memory or its addresses are others now. */
  public synchronized void clear() {
    mappings.clear();
    asked.clear();
  }

  /** The translation at an address; where there is none it is asked for, once, and null comes. */
  private @Nullable Mapping find(long iova, int permission) {
    Map.@Nullable Entry<Long, Mapping> entry = mappings.floorEntry(iova);
    Mapping found = entry == null ? null : entry.getValue();
    if (found != null
        && Long.compareUnsigned(iova - found.iova(), found.size()) < 0
        && found.allows(permission)) {
      return found;
    }
    // Once: what comes without the permission that is needed would not come with it again.
    int before = asked.getOrDefault(iova, 0);
    if (!asked.containsKey(iova) || (permission & ~before) != 0) {
      asked.put(iova, before | permission);
      miss.ask(iova, permission);
    }
    return null;
  }

  /**
   * The translation at an address, for which a queue waits.
   *
   * @param givenUp asked now and then whether to go on waiting
   * @return null when there is none, or the wait was given up
   */
  synchronized @Nullable Mapping await(long iova, int permission, BooleanSupplier givenUp) {
    long end = System.nanoTime() + PATIENCE_NANOS;
    Mapping found = find(iova, permission);
    while (found == null && !givenUp.getAsBoolean() && System.nanoTime() - end < 0) {
      try {
        wait(LOOK_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return null;
      }
      found = find(iova, permission);
    }
    return found;
  }

  /**
   * The host address of a part of a ring, or 0 where a translation is missing: it is asked for.
   *
   * @throws PeerFault when the part does not lie in one piece in this process
   */
  public synchronized long ofRing(long iova, long bytes, int permission) {
    Mapping first = find(iova, permission);
    if (first == null) {
      return 0;
    }
    long host = first.host() + (iova - first.iova());
    for (long done = first.left(iova); done < bytes; ) {
      Mapping next = find(iova + done, permission);
      if (next == null) {
        return 0;
      }
      if (next.host() + (iova + done - next.iova()) != host + done) {
        throw new PeerFault(
            "%#x bytes at %#x of a ring lie scattered: a smaller ring is needed"
                .formatted(bytes, iova));
      }
      done += next.left(iova + done);
    }
    return host;
  }

  /** Where the guest has what it calls {@code iova}, or -1. */
  public synchronized long guestAddress(long iova) {
    Mapping found = find(iova, 0);
    return found == null ? -1 : found.guest() + (iova - found.iova());
  }
}
