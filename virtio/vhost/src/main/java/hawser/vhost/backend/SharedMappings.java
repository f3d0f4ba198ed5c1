package hawser.vhost.backend;

import hawser.base.Ranges;
import hawser.vhost.message.SharedMapping;
import java.util.ArrayList;
import java.util.List;

/**
 * What is mapped into the device's shared memory regions. A mapping must lie in its region and
 * overlap no other, and goes as a whole (vhost-user, "VHOST_USER_BACKEND_SHMEM_MAP"). Safe from any
 * thread.
 */
final class SharedMappings {
  private final List<SharedMapping> mapped = new ArrayList<>();
  private final long[] regions;

  SharedMappings(long[] regions) {
    this.regions = regions;
  }

  /** Notes a mapping that is going to be asked for. */
  synchronized void add(SharedMapping wanted) {
    int region = wanted.region();
    if (region < 0
        || region >= regions.length
        || wanted.length() <= 0
        || !Ranges.contains(regions[region], wanted.regionOffset(), wanted.length())) {
      throw new IllegalArgumentException(wanted + " is not in a region of this device");
    }
    for (SharedMapping other : mapped) {
      if (overlap(other, wanted)) {
        throw new IllegalArgumentException(wanted + " overlaps " + other);
      }
    }
    mapped.add(wanted);
  }

  private static boolean overlap(SharedMapping one, SharedMapping other) {
    return one.region() == other.region()
        && one.regionOffset() < other.regionOffset() + other.length()
        && other.regionOffset() < one.regionOffset() + one.length();
  }

  /** Forgets a mapping, which must be there. */
  synchronized void remove(SharedMapping mapping) {
    if (!mapped.remove(mapping)) {
      throw new IllegalArgumentException(mapping + " is not mapped");
    }
  }

  /** After a reset the front-end has unmapped all. */
  synchronized void clear() {
    mapped.clear();
  }
}
