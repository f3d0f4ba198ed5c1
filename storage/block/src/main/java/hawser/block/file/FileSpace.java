package hawser.block.file;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.block.BlockNode;
import hawser.block.Extent;
import hawser.block.OpenMode;
import hawser.block.Preallocation;
import hawser.block.ZeroBytes;
import hawser.sys.DeviceCalls;
import hawser.sys.FileCalls;
import hawser.sys.Iovecs;
import hawser.sys.Result;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Which parts of a file take room: holes, zeroing, discarding, growing. */
final class FileSpace {
  /** Zeroes written in one call. */
  private static final long WRITE_BYTES = 1 << 20;

  private static final int FIRST_BLOCK_BYTES = 4096;

  private final int fd;
  private final String name;
  private final boolean device;
  private final AtomicLong length;
  private final OpenMode mode;

  /** The last run of stored bytes that was found; forgotten when bytes are given back. */
  private volatile @Nullable Run stored;

  private volatile boolean zeroRange = true;
  private volatile boolean punchHole = true;

  private record Run(long start, long end) {}

  FileSpace(int fd, String name, boolean device, AtomicLong length, OpenMode mode) {
    this.fd = fd;
    this.name = name;
    this.device = device;
    this.length = length;
    this.mode = mode;
    // The page cache does not see what these do to a device beneath it.
    this.zeroRange = !device || mode.cache().direct();
    this.punchHole = !device || mode.cache().direct();
  }

  /** As many zeroes as one call should write, at most {@code bytes}, in pieces. */
  static MemorySegment[] zeroes(long bytes) {
    long now = Math.min(bytes, WRITE_BYTES);
    int whole = (int) (now / ZeroBytes.SOURCE_BYTES);
    int rest = (int) (now % ZeroBytes.SOURCE_BYTES);
    var pieces = new MemorySegment[whole + (rest > 0 ? 1 : 0)];
    Arrays.fill(pieces, ZeroBytes.SOURCE);
    if (rest > 0) {
      pieces[whole] = ZeroBytes.SOURCE.asSlice(0, rest);
    }
    return pieces;
  }

  /** Zeroes a range without writing it; false when the host cannot. */
  boolean zero(long offset, long bytes, int flags) throws BlockFault {
    if (bytes == 0) {
      return true;
    }
    stored = null;
    if (device) {
      return (zeroRange && did(DeviceCalls.zeroOut(fd, offset, bytes), "zero")) || off(false);
    }
    if ((flags & BlockNode.MAY_UNMAP) != 0 && mode.unmap() && punch(offset, bytes)) {
      return extend(offset + bytes);
    }
    if (zeroRange) {
      if (did(FileCalls.fallocate(fd, FileCalls.FALLOC_ZERO_RANGE, offset, bytes), "zero")) {
        return true;
      }
      zeroRange = false;
    }
    return punch(offset, bytes)
        && did(FileCalls.fallocate(fd, 0, offset, bytes), "allocate room in");
  }

  /** Remembers that a device does not zero by itself. */
  private boolean off(boolean can) {
    zeroRange = can;
    return can;
  }

  private boolean punch(long offset, long bytes) throws BlockFault {
    if (!punchHole) {
      return false;
    }
    int how = FileCalls.FALLOC_PUNCH_HOLE | FileCalls.FALLOC_KEEP_SIZE;
    punchHole = did(FileCalls.fallocate(fd, how, offset, bytes), "zero");
    return punchHole;
  }

  private boolean extend(long end) throws BlockFault {
    synchronized (this) {
      if (end > length.get()) {
        Result.orFault(FileCalls.ftruncate(fd, end), "Could not resize '" + name + "'");
        length.accumulateAndGet(end, Math::max);
      }
    }
    return true;
  }

  /** Whether it worked; false when this host cannot, a fault when it can and failed. */
  private boolean did(long result, String doing) throws BlockFault {
    if (result >= 0) {
      return true;
    }
    Errno errno = Result.errno(result);
    return switch (errno) {
      case EOPNOTSUPP, EINVAL, ENOSYS, EBUSY, ENOTTY, EPERM -> false;
      default -> throw BlockFault.of(errno, "Could not " + doing + " '" + name + "'");
    };
  }

  void discard(long offset, long bytes) throws BlockFault {
    if (!mode.unmap() || bytes == 0 || offset >= length.get()) {
      return;
    }
    stored = null;
    if (!device) {
      punch(offset, bytes);
      return;
    }
    long sector = Result.orFault(DeviceCalls.sectorSize(fd), "Could not get the sector size");
    long first = Ranges.alignUp(offset, sector);
    long end = Ranges.alignDown(offset + bytes, sector);
    if (end > first) {
      did(DeviceCalls.discard(fd, first, end - first), "discard from");
    }
  }

  Extent extent(long offset, long bytes, BlockNode node) throws BlockFault {
    long size = length.get();
    if (bytes < 1 || !Ranges.contains(size, offset, 1)) {
      throw new BlockFault(Errno.EINVAL, "extent offset " + offset + " is past the end");
    }
    long most = Math.min(bytes, size - offset);
    Run run = stored;
    if (run != null && run.start <= offset && offset < run.end) {
      return of(Extent.Kind.DATA, offset, Math.min(most, run.end - offset), node);
    }
    long data = device ? offset : FileCalls.lseek(fd, offset, FileCalls.SEEK_DATA);
    if (data < 0) {
      // ENXIO: nothing is stored from here to the end. Anything else: the host cannot tell.
      boolean hole = Result.errno(data) == Errno.ENXIO;
      return of(hole ? Extent.Kind.ZERO : Extent.Kind.DATA, offset, most, node);
    }
    if (data > offset) {
      return of(Extent.Kind.ZERO, offset, Math.min(most, data - offset), node);
    }
    long hole = device ? size : FileCalls.lseek(fd, offset, FileCalls.SEEK_HOLE);
    if (hole <= offset) {
      return of(Extent.Kind.DATA, offset, most, node);
    }
    stored = new Run(offset, hole);
    return of(Extent.Kind.DATA, offset, Math.min(most, hole - offset), node);
  }

  private static Extent of(Extent.Kind kind, long offset, long length, BlockNode node) {
    return new Extent(offset, length, kind, 0, offset, node);
  }

  synchronized void resize(long newLength, Preallocation preallocation) throws BlockFault {
    long old = length.get();
    if (device) {
      resizeDevice(old, newLength, preallocation);
      return;
    }
    if (newLength < old && preallocation != Preallocation.OFF) {
      throw new BlockFault(Errno.EOPNOTSUPP, "Cannot use preallocation for shrinking files");
    }
    stored = null;
    switch (preallocation) {
      case OFF -> {
        truncate(newLength);
        if (old == 0 && newLength > 0) {
          allocateFirstBlock(newLength);
        }
      }
      case FALLOC -> allocate(old, newLength);
      case FULL -> writeUpTo(old, newLength);
      case METADATA ->
          throw new BlockFault(Errno.EOPNOTSUPP, "Unsupported preallocation mode: metadata");
    }
    length.set(newLength);
  }

  private static void resizeDevice(long old, long newLength, Preallocation preallocation)
      throws BlockFault {
    if (preallocation != Preallocation.OFF) {
      throw new BlockFault(
          Errno.EOPNOTSUPP,
          "Preallocation mode '%s' unsupported for this non-regular file".formatted(preallocation));
    }
    if (newLength > old) {
      throw new BlockFault(Errno.EINVAL, "Cannot grow device files");
    }
    if (newLength < old) {
      throw new BlockFault(Errno.EOPNOTSUPP, "Cannot resize device files");
    }
  }

  private void truncate(long newLength) throws BlockFault {
    Result.orFault(FileCalls.ftruncate(fd, newLength), "Could not resize file");
  }

  /** QEMU writes the first block of a new file, so that probing for alignment means something. */
  private void allocateFirstBlock(long newLength) {
    long bytes = newLength < FIRST_BLOCK_BYTES ? newLength : FIRST_BLOCK_BYTES;
    FileCalls.pwrite(fd, ZeroBytes.SOURCE.asSlice(0, bytes), 0);
  }

  private void allocate(long old, long newLength) throws BlockFault {
    if (newLength > old) {
      long result = FileCalls.fallocate(fd, 0, old, newLength - old);
      if (result < 0) {
        FileCalls.ftruncate(fd, old);
        throw BlockFault.of(Result.errno(result), "Could not preallocate new data");
      }
    }
  }

  private void writeUpTo(long old, long newLength) throws BlockFault {
    truncate(newLength);
    var iovecs = new Iovecs(Arena.ofAuto(), (int) (WRITE_BYTES / ZeroBytes.SOURCE_BYTES) + 1);
    long at = old;
    while (at < newLength) {
      iovecs.clear();
      for (MemorySegment piece : zeroes(newLength - at)) {
        iovecs.add(piece);
      }
      long result = FileCalls.pwritev2(fd, iovecs, at, 0);
      if (result < 0) {
        FileCalls.ftruncate(fd, old);
        throw BlockFault.of(Result.errno(result), "Could not write zeros for preallocation");
      }
      at += result;
    }
    Result.orFault(FileCalls.fdatasync(fd), "Could not flush file to disk");
  }
}
