package hawser.block.file;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.Limits;
import hawser.block.OpenMode;
import hawser.sys.DeviceCalls;
import hawser.sys.FileCalls;
import hawser.sys.Result;
import hawser.sys.Stat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Finds what requests past the page cache must be aligned to. */
final class DirectLimits {
  /** Good for every disk there is; used where the host does not say. */
  private static final int SAFE_ALIGNMENT = 4096;

  private static final int SMALLEST_SECTOR = 512;

  private DirectLimits() {}

  static Limits of(int fd, Stat stat, OpenMode mode) throws BlockFault {
    if (!mode.cache().direct()) {
      return Limits.BYTES;
    }
    if (stat.directOffset() > 0) {
      return limits(stat.directOffset(), Math.max(stat.directMemory(), 1));
    }
    if (stat.kind() == Stat.Kind.BLOCK_DEVICE) {
      long sector = Result.orFault(DeviceCalls.sectorSize(fd), "Could not get the sector size");
      return limits((int) sector, (int) sector);
    }
    return limits(probed(fd, stat), SAFE_ALIGNMENT);
  }

  private static Limits limits(int alignment, int memory) {
    return new Limits(alignment, memory, Math.max(alignment, SAFE_ALIGNMENT), alignment);
  }

  /** The shortest read that the host accepts; one at the end of an empty file proves nothing. */
  private static int probed(int fd, Stat stat) {
    if (stat.size() < SAFE_ALIGNMENT) {
      return SAFE_ALIGNMENT;
    }
    try (var arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(SAFE_ALIGNMENT, SAFE_ALIGNMENT);
      for (int bytes = SMALLEST_SECTOR; bytes < SAFE_ALIGNMENT; bytes *= 2) {
        long result = FileCalls.pread(fd, buffer.asSlice(0, bytes), bytes);
        if (result >= 0 || Result.errno(result) != Errno.EINVAL) {
          return bytes;
        }
      }
    }
    return SAFE_ALIGNMENT;
  }
}
