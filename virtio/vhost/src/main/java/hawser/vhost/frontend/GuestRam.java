package hawser.vhost.frontend;

import hawser.base.BlockFault;
import hawser.base.Ranges;
import hawser.sys.HostMemory;
import hawser.vhost.message.MemoryRegion;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * The memory of a guest without a guest: regions at guest addresses, each an anonymous file that
 * can be given to a back-end. What is allocated is never given back; close the whole. Allocating
 * and changing the regions belong to one thread at a time; looking belongs to any.
 */
public final class GuestRam implements AutoCloseable {
  /** What the dirty log counts in. */
  public static final int PAGE_BYTES = 4096;

  private static final int PAGE_BITS = 12;

  /** A region: its file, and where the guest sees it. */
  private static final class Region {
    private final SharedFile file;
    private final long guestAddress;
    private long used;

    Region(SharedFile file, long guestAddress) {
      this.file = file;
      this.guestAddress = guestAddress;
    }

    boolean has(long address, long bytes) {
      return Ranges.contains(file.bytes(), address - guestAddress, bytes);
    }
  }

  private final List<Region> regions = new ArrayList<>();

  /** No memory yet. */
  public GuestRam() {}

  /** One region from guest address 0. */
  public static GuestRam of(long bytes) throws BlockFault {
    return of(1, bytes, 0);
  }

  /** Regions of {@code bytes} each, with {@code gap} bytes of nothing after each. */
  public static GuestRam of(int count, long bytes, long gap) throws BlockFault {
    var ram = new GuestRam();
    for (int i = 0; i < count; i++) {
      ram.add(i * (bytes + gap), bytes);
    }
    return ram;
  }

  /** Adds a region; answers how a back-end is told of it. Both numbers are whole pages. */
  public MemoryRegion add(long guestAddress, long bytes) throws BlockFault {
    if ((guestAddress | bytes) % PAGE_BYTES != 0) {
      throw new IllegalArgumentException(
          "%#x and %#x are not pages".formatted(guestAddress, bytes));
    }
    regions.add(new Region(SharedFile.create("guest", bytes), guestAddress));
    return region(regions.size() - 1);
  }

  /** Takes a region away; nobody may use it any more. */
  public void remove(int index) {
    regions.remove(index).file.close();
  }

  /** How many regions there are. */
  public int count() {
    return regions.size();
  }

  /** How a back-end is told of a region; its user address is this process's own. */
  public MemoryRegion region(int index) {
    Region region = regions.get(index);
    return new MemoryRegion(region.guestAddress, region.file.bytes(), region.file.address(), 0);
  }

  /** The file of a region, which stays ours. */
  public int descriptor(int index) {
    return regions.get(index).file.descriptor();
  }

  /** One more than the highest guest address. */
  public long end() {
    return regions.stream().mapToLong(r -> r.guestAddress + r.file.bytes()).max().orElse(0);
  }

  /** Takes memory from the first region that has some; answers its guest address. Zeroes. */
  public long allocate(long bytes, long alignment) {
    for (int i = 0; i < regions.size(); i++) {
      long at = Ranges.alignUp(regions.get(i).used, alignment);
      if (Ranges.contains(regions.get(i).file.bytes(), at, bytes)) {
        return allocate(i, bytes, alignment);
      }
    }
    throw new IllegalStateException("no region has %d bytes left".formatted(bytes));
  }

  /** Takes memory from one region; answers its guest address. */
  public long allocate(int index, long bytes, long alignment) {
    Region region = regions.get(index);
    long at = Ranges.alignUp(region.used, alignment);
    if (!Ranges.contains(region.file.bytes(), at, bytes)) {
      throw new IllegalStateException("region %d has no %d bytes left".formatted(index, bytes));
    }
    region.used = at + bytes;
    return region.guestAddress + at;
  }

  /** Whether there is memory at a guest address. */
  public boolean has(long guestAddress) {
    return regions.stream().anyMatch(region -> region.has(guestAddress, 1));
  }

  /** The host address of a guest range, which must lie in one region. */
  public long host(long guestAddress, long bytes) {
    for (int i = 0; i < regions.size(); i++) {
      Region region = regions.get(i);
      if (region.has(guestAddress, bytes)) {
        return region.file.address() + (guestAddress - region.guestAddress);
      }
    }
    throw new IndexOutOfBoundsException("%d bytes at %#x".formatted(bytes, guestAddress));
  }

  /** A guest range, which must lie in one region. */
  public MemorySegment at(long guestAddress, long bytes) {
    return HostMemory.at(host(guestAddress, bytes), bytes);
  }

  /** What every page holds now, as checksums. */
  public Snapshot snapshot() {
    var sums = new ArrayList<int[]>();
    for (Region region : regions) {
      sums.add(checksums(region.file));
    }
    return new Snapshot(List.copyOf(sums));
  }

  private static int[] checksums(SharedFile file) {
    var sums = new int[(int) (file.bytes() / PAGE_BYTES)];
    var sum = new CRC32C();
    for (int page = 0; page < sums.length; page++) {
      sum.reset();
      sum.update(file.memory().asSlice((long) page * PAGE_BYTES, PAGE_BYTES).asByteBuffer());
      sums[page] = (int) sum.getValue();
    }
    return sums;
  }

  /** The pages, by guest address, that differ from what they were; of the same regions. */
  public BitSet changedSince(Snapshot before) {
    var changed = new BitSet();
    for (int i = 0; i < regions.size(); i++) {
      int[] old = before.sums.get(i);
      int[] now = checksums(regions.get(i).file);
      int first = (int) (regions.get(i).guestAddress >>> PAGE_BITS);
      for (int page = 0; page < now.length; page++) {
        changed.set(first + page, now[page] != old[page]);
      }
    }
    return changed;
  }

  /** Checksums of all pages at one moment, region by region. */
  public record Snapshot(List<int[]> sums) {}

  /** Gives all memory back; nobody may use any address of it any more. */
  @Override
  public void close() {
    regions.forEach(region -> region.file.close());
    regions.clear();
  }
}
