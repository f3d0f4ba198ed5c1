package hawser.vhost.memory;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.base.Ranges;
import hawser.sys.MemoryCalls;
import hawser.sys.Result;
import hawser.sys.Stat;
import hawser.vhost.message.MemoryRegion;

/**
 * A region of guest memory in this process.
 *
 * @param region what the front-end said of it
 * @param hostAddress address here of its first byte
 * @param mapping address of the mapping that holds it
 * @param mappedBytes length of that mapping
 */
public record MappedRegion(MemoryRegion region, long hostAddress, long mapping, long mappedBytes) {
  /**
   * Maps a region of an open file, which may be closed afterwards.
   *
   * @throws PeerFault when the file is shorter than the region, or cannot be mapped
   */
  public static MappedRegion map(MemoryRegion region, int fd) {
    try {
      Stat file = Stat.of(fd, "memory region");
      if (file.kind() == Stat.Kind.REGULAR
          && !Ranges.contains(file.size(), region.mmapOffset(), region.size())) {
        throw new PeerFault(
            "memory region: %#x bytes from %#x lie outside its file of %#x"
                .formatted(region.size(), region.mmapOffset(), file.size()));
      }
      // Huge pages are mapped from their own multiples only; the file tells their size here.
      long start = Ranges.alignDown(region.mmapOffset(), Math.max(4096, file.blockSize()));
      long bytes = region.mmapOffset() - start + region.size();
      long mapping =
          Result.orFault(
              MemoryCalls.mmap(
                  fd,
                  start,
                  bytes,
                  MemoryCalls.PROT_READ | MemoryCalls.PROT_WRITE,
                  MemoryCalls.MAP_SHARED | MemoryCalls.MAP_NORESERVE),
              "mmap");
      return new MappedRegion(region, mapping + region.mmapOffset() - start, mapping, bytes);
    } catch (BlockFault e) {
      throw new PeerFault("memory region %s: %s".formatted(region, e.getMessage()), e);
    }
  }

  /** The region, said to be where it is in this process. */
  MemoryRegion inThisProcess() {
    return new MemoryRegion(region.guestAddress(), region.size(), hostAddress, region.mmapOffset());
  }

  /** Gives the mapping back. Nobody may use its addresses any more. */
  public void unmap() {
    MemoryCalls.munmap(mapping, mappedBytes);
  }
}
