package hawser.vhost.memory;

import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What a driver calls addresses to host addresses, for one thread: most lookups find the region of
 * the one before.
 */
public final class Translator {
  private MemoryTable table = MemoryTable.EMPTY;
  private @Nullable Iotlb iotlb;
  private BooleanSupplier givenUp = () -> false;
  private int last;
  private long host;
  private long guest;

  /** Without any memory yet. */
  public Translator() {}

  /** Uses another table from now on. */
  public void use(MemoryTable newTable) {
    table = newTable;
    iotlb = null;
    last = 0;
  }

  /**
   * Addresses are those of a driver behind an IOMMU from now on.
   *
   * @param stopWaiting says that a translation is to be waited for no more
   */
  public void use(Iotlb translations, BooleanSupplier stopWaiting) {
    iotlb = translations;
    givenUp = stopWaiting;
  }

  /**
   * Finds an address; its place is then {@link #host}. Answers how many of {@code bytes} lie there
   * one after the other, 0 when the address is in no region.
   *
   * @param permission of {@link hawser.vhost.message.IotlbEntry}, for drivers behind an IOMMU
   */
  public long find(long address, long bytes, int permission) {
    Iotlb translations = iotlb;
    if (translations != null) {
      return find(translations, address, bytes, permission);
    }
    int region = table.region(address, last);
    if (region < 0) {
      return 0;
    }
    last = region;
    host = table.hostAddress(region, address);
    guest = address;
    return awaited(Math.min(bytes, table.left(region, address)));
  }

  private long find(Iotlb translations, long address, long bytes, int permission) {
    Iotlb.Mapping found = translations.await(address, permission, givenUp);
    if (found == null) {
      return 0;
    }
    long at = address - found.iova();
    host = found.host() + at;
    guest = found.guest() + at;
    return awaited(Math.min(bytes, found.size() - at));
  }

  private long awaited(long bytes) {
    table.await(host, bytes);
    return bytes;
  }

  /** The host address of what {@link #find} found. */
  public long host() {
    return host;
  }

  /** The guest's own address of what {@link #find} found. */
  public long guest() {
    return guest;
  }
}
