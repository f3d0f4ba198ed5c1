package hawser.vhost.memory;

import hawser.base.PeerFault;
import hawser.vhost.message.Descriptors;
import hawser.vhost.message.MemoryRegion;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The memory that a front-end shares with this back-end. Changed by one thread while nobody uses
 * any table of before.
 */
public final class GuestMemory implements AutoCloseable {
  /** Regions of one device, as many as libvhost-user takes. QEMU asks for at most 512. */
  public static final int SLOTS_MAX = 509;

  private final List<MappedRegion> regions = new ArrayList<>();
  private MemoryTable table = MemoryTable.EMPTY;
  private @Nullable MissingPages missing;

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
    table = new MemoryTable(regions, missing);
  }

  /** Shares one more region (ADD_MEM_REG). */
  public void add(MemoryRegion region, Descriptors descriptors) {
    if (regions.size() >= SLOTS_MAX) {
      throw new PeerFault("ADD_MEM_REG: there are %d regions already".formatted(SLOTS_MAX));
    }
    map(region, descriptors);
    table = new MemoryTable(regions, missing);
  }

  private void map(MemoryRegion region, Descriptors descriptors) {
    for (MappedRegion other : regions) {
      if (other.region().overlaps(region)) {
        throw new PeerFault("memory regions overlap: %s, %s".formatted(other.region(), region));
      }
    }
    try (var file = new Descriptors(descriptors.take("a memory region"))) {
      MappedRegion mapped = MappedRegion.map(region, file.peek());
      boolean ready = false;
      try {
        if (missing != null) {
          missing.expect(mapped);
        }
        regions.add(mapped);
        ready = true;
      } finally {
        if (!ready) {
          mapped.unmap();
        }
      }
    }
  }

  private void unmap(MappedRegion mapped) {
    if (missing != null) {
      missing.forget(mapped);
    }
    mapped.unmap();
  }

  /** Pages of regions that come from now on may be missing; null: all of them are there. */
  public void expect(@Nullable MissingPages pages) {
    missing = pages;
    table = new MemoryTable(regions, missing);
  }

  /** The regions as the front-end described them, each with its address in this process. */
  public List<MemoryRegion> inThisProcess() {
    return regions.stream().map(MappedRegion::inThisProcess).toList();
  }

  /** Stops sharing a region (REM_MEM_REG). */
  public void remove(MemoryRegion region) {
    for (MappedRegion mapped : regions) {
      if (mapped.region().isSameAs(region)) {
        regions.remove(mapped);
        table = new MemoryTable(regions, missing);
        unmap(mapped);
        return;
      }
    }
    throw new PeerFault("REM_MEM_REG: there is no " + region);
  }

  @Override
  public void close() {
    regions.forEach(this::unmap);
    regions.clear();
    table = MemoryTable.EMPTY;
  }
}
