package hawser.vhost.memory;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.base.Ranges;
import hawser.sys.HostMemory;
import hawser.sys.MemoryCalls;
import hawser.sys.Result;
import hawser.sys.Stat;
import java.lang.invoke.VarHandle;

/**
 * The bitmap of guest pages that the device has written to, shared with the front-end while the
 * guest migrates (vhost-user, "Migration"): bit {@code page % 8} of byte {@code page / 8}, pages of
 * 4 KiB by guest address. Marked from any thread.
 */
public final class DirtyLog {
  private static final int PAGE_BITS = 12;
  private static final VarHandle WORD = JAVA_INT.varHandle();

  private final long mapping;
  private final long mappedBytes;
  private final long bits;
  private final long pages;

  private DirtyLog(long mapping, long mappedBytes, long bits, long pages) {
    this.mapping = mapping;
    this.mappedBytes = mappedBytes;
    this.bits = bits;
    this.pages = pages;
  }

  /**
   * Maps a log of {@code size} bytes at {@code offset} of an open file, which may be closed
   * afterwards.
   *
   * @throws PeerFault when the file does not hold it
   */
  public static DirtyLog map(int fd, long size, long offset) {
    if (size <= 0 || size % 4 != 0 || offset < 0 || offset % 4 != 0) {
      throw new PeerFault(
          "SET_LOG_BASE: size %d and offset %d are not multiples of 4".formatted(size, offset));
    }
    try {
      Stat file = Stat.of(fd, "dirty log");
      if (file.kind() == Stat.Kind.REGULAR && !Ranges.contains(file.size(), offset, size)) {
        throw new PeerFault(
            "SET_LOG_BASE: %d bytes from %d lie outside the file of %d"
                .formatted(size, offset, file.size()));
      }
      long start = Ranges.alignDown(offset, Math.max(4096, file.blockSize()));
      long bytes = offset - start + size;
      int access = MemoryCalls.PROT_READ | MemoryCalls.PROT_WRITE;
      long mapping =
          Result.orFault(
              MemoryCalls.mmap(fd, start, bytes, access, MemoryCalls.MAP_SHARED), "mmap");
      return new DirtyLog(mapping, bytes, mapping + offset - start, size * 8);
    } catch (BlockFault e) {
      throw new PeerFault("SET_LOG_BASE: " + e.getMessage(), e);
    }
  }

  /**
   * Marks the pages of a guest range, after it was written. Pages beyond the log are left alone:
   * they are not the guest's memory.
   */
  public void mark(long guestAddress, long bytes) {
    if (bytes <= 0) {
      return;
    }
    long last = Math.min((guestAddress + bytes - 1) >>> PAGE_BITS, pages - 1);
    for (long page = guestAddress >>> PAGE_BITS; page <= last; page++) {
      // Always atomic, set or not: whoever clears the bit must find what was written before it.
      int _ = (int) WORD.getAndBitwiseOr(HostMemory.ALL, bits + (page >>> 5 << 2), 1 << page);
    }
  }

  /** Gives the mapping back; nobody may mark any more. */
  public void unmap() {
    MemoryCalls.munmap(mapping, mappedBytes);
  }
}
