package hawser.vhost.memory;

import hawser.base.PeerFault;
import hawser.vhost.message.Descriptors;
import hawser.vhost.message.MemoryRegion;
import java.util.ArrayList;
import java.util.List;

/**
 * The memory that a front-end shares with this back-end. Changed by one thread while nobody uses
 * any table of before.
 */
public final class GuestMemory implements AutoCloseable {
  /** Regions of one device, as many as libvhost-user takes. QEMU asks for at most 512. */
  public static final int SLOTS_MAX = 509;

  private final List<MappedRegion> regions = new ArrayList<>();
  private MemoryTable table = MemoryTable.EMPTY;

  /** Nothing shared yet. */
  public GuestMemory() {}

  /** What is shared now. */
  public MemoryTable table() {
    return table;
  }

  /** How many regions there are. */
  public int count() {
    return regions.size();
  }

  /**
   * Shares these regions and no others.
   *
   * @throws PeerFault when one cannot be mapped or overlaps another; nothing is shared then
   */
  public void replace(List<MemoryRegion> newRegions, Descriptors descriptors) {
    close();
    boolean all = false;
    try {
      for (MemoryRegion region : newRegions) {
        map(region, descriptors);
      }
      all = true;
    } finally {
      if (!all) {
        close();
      }
    }
    table = new MemoryTable(regions);
  }

  /** Shares one more region (ADD_MEM_REG). */
  public void add(MemoryRegion region, Descriptors descriptors) {
    if (regions.size() >= SLOTS_MAX) {
      throw new PeerFault("ADD_MEM_REG: there are %d regions already".formatted(SLOTS_MAX));
    }
    map(region, descriptors);
    table = new MemoryTable(regions);
  }

  private void map(MemoryRegion region, Descriptors descriptors) {
    for (MappedRegion other : regions) {
      if (other.region().overlaps(region)) {
        throw new PeerFault("memory regions overlap: %s, %s".formatted(other.region(), region));
      }
    }
    try (var file = new Descriptors(descriptors.take("a memory region"))) {
      regions.add(MappedRegion.map(region, file.peek()));
    }
  }

  /** Stops sharing a region (REM_MEM_REG). */
  public void remove(MemoryRegion region) {
    for (MappedRegion mapped : regions) {
      if (mapped.region().isSameAs(region)) {
        regions.remove(mapped);
        table = new MemoryTable(regions);
        mapped.unmap();
        return;
      }
    }
    throw new PeerFault("REM_MEM_REG: there is no " + region);
  }

  @Override
  public void close() {
    regions.forEach(MappedRegion::unmap);
    regions.clear();
    table = MemoryTable.EMPTY;
  }
}
