package hawser.block.file;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.base.json.Json;
import hawser.block.BlockNode;
import hawser.block.DirectFile;
import hawser.block.Extent;
import hawser.block.Limits;
import hawser.block.NodeInfo;
import hawser.block.OpenMode;
import hawser.block.Permissions;
import hawser.block.Preallocation;
import hawser.sys.DeviceCalls;
import hawser.sys.FileCalls;
import hawser.sys.Iovecs;
import hawser.sys.Result;
import hawser.sys.Stat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A regular file or a block device through system calls. A write past the end of a regular file
 * makes it longer, for formats grow their files so. Opened past the page cache it has the alignment
 * that the host asks for, and leaves keeping it to {@link hawser.block.filter.AlignedNode}.
 */
final class FileNode implements BlockNode {
  private static final int PAGE_BYTES = 4096;

  /** One system call moves at most this; the kernel's own limit is a page below 2 GiB. */
  private static final long CALL_BYTES_MAX = 1 << 30;

  private static final ThreadLocal<Iovecs> IOVECS =
      ThreadLocal.withInitial(() -> new Iovecs(Arena.ofAuto(), Iovecs.COUNT_MAX));

  private final String driver;
  private final String name;
  private final int fd;
  private final boolean device;
  private final boolean readOnly;
  private final OpenMode.Cache cache;
  private final Limits limits;
  private final FileSpace space;
  private final @Nullable ImageLock lock;
  private final AtomicLong length;
  private final AtomicBoolean closed = new AtomicBoolean();

  /** Cleared when the file system says that its writes cannot promise not to wait. */
  private volatile boolean noWaitWrites = true;

  private FileNode(
      String driver, String name, int fd, Stat stat, Limits limits, boolean locking, OpenMode mode)
      throws BlockFault {
    this.driver = driver;
    this.name = name;
    this.fd = fd;
    this.device = stat.kind() != Stat.Kind.REGULAR;
    this.readOnly = !mode.writable();
    this.cache = mode.cache();
    this.limits = limits;
    this.lock = locking ? new ImageLock(fd, name) : null;
    this.length =
        new AtomicLong(
            stat.kind() == Stat.Kind.BLOCK_DEVICE
                ? Result.orFault(DeviceCalls.size(fd), "Could not get the size of '" + name + "'")
                : stat.size());
    this.space = new FileSpace(fd, name, device, length, mode);
  }

  static FileNode open(String driver, boolean device, String name, boolean locking, OpenMode mode)
      throws BlockFault {
    int flags =
        FileCalls.O_CLOEXEC
            | (mode.writable() ? FileCalls.O_RDWR : FileCalls.O_RDONLY)
            | (mode.cache().direct() ? FileCalls.O_DIRECT : 0);
    int fd = (int) Result.orFault(FileCalls.open(name, flags, 0), "Could not open '" + name + "'");
    try {
      Stat stat = Stat.of(fd, name);
      checkKind(driver, device, name, stat);
      if (device && mode.writable() && DeviceCalls.readOnly(fd) == 1) {
        throw BlockFault.of(Errno.EACCES, "The device is not writable");
      }
      var node =
          new FileNode(driver, name, fd, stat, DirectLimits.of(fd, stat, mode), locking, mode);
      node.claim(mode.forceShare() ? mode.permissions().sharingAll() : mode.permissions());
      return node;
    } catch (BlockFault e) {
      FileCalls.close(fd);
      throw e;
    }
  }

  private static void checkKind(String driver, boolean device, String name, Stat stat)
      throws BlockFault {
    if (!device && stat.kind() != Stat.Kind.REGULAR) {
      throw new BlockFault(
          Errno.EINVAL, "'" + driver + "' driver requires '" + name + "' to be a regular file");
    }
    if (device
        && stat.kind() != Stat.Kind.BLOCK_DEVICE
        && stat.kind() != Stat.Kind.CHARACTER_DEVICE) {
      throw new BlockFault(
          Errno.EINVAL,
          "'%s' driver requires '%s' to be either a character or block device"
              .formatted(driver, name));
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String driver() {
    return driver;
  }

  @Override
  public long length() {
    return length.get();
  }

  @Override
  public boolean readOnly() {
    return readOnly;
  }

  @Override
  public Limits limits() {
    return limits;
  }

  @Override
  public void claim(Permissions permissions) throws BlockFault {
    if (lock != null) {
      lock.claim(permissions);
    }
  }

  @Override
  public void read(MemorySegment into, long offset) throws BlockFault {
    checkStart(offset);
    long total = into.byteSize();
    long done = 0;
    while (done < total) {
      MemorySegment rest =
          done == 0 && total <= CALL_BYTES_MAX
              ? into
              : into.asSlice(done, Math.min(total - done, CALL_BYTES_MAX));
      long count = FileCalls.pread(fd, rest, offset + done);
      if (count < 0) {
        throw failed("read", count);
      }
      if (count == 0) {
        // Past the end of the file there are zeroes, as in the last, partial sector of a disk.
        into.asSlice(done).fill((byte) 0);
        return;
      }
      done += count;
    }
  }

  @Override
  public void read(MemorySegment[] into, long offset) throws BlockFault {
    checkStart(offset);
    Iovecs iovecs = IOVECS.get();
    long at = offset;
    int next = 0;
    while (next < into.length) {
      next = fill(iovecs, into, next);
      while (iovecs.count() > 0) {
        long count = FileCalls.preadv2(fd, iovecs, at, 0);
        if (count < 0) {
          throw failed("read", count);
        }
        if (count == 0) {
          zeroFrom(into, at - offset);
          return;
        }
        iovecs.consume(count);
        at += count;
      }
    }
  }

  private static int fill(Iovecs iovecs, MemorySegment[] pieces, int first) {
    iovecs.clear();
    int next = first;
    long bytes = 0;
    while (next < pieces.length && !iovecs.full() && bytes < CALL_BYTES_MAX) {
      if (pieces[next].byteSize() > 0) {
        iovecs.add(pieces[next]);
      }
      bytes += pieces[next].byteSize();
      next++;
    }
    return next;
  }

  private static void zeroFrom(MemorySegment[] pieces, long from) {
    long skip = from;
    for (MemorySegment piece : pieces) {
      if (skip < piece.byteSize()) {
        piece.asSlice(skip).fill((byte) 0);
        skip = 0;
      } else {
        skip -= piece.byteSize();
      }
    }
  }

  @Override
  public boolean readNow(MemorySegment into, long offset) {
    if (cache.direct() || offset < 0) {
      return false;
    }
    Iovecs iovecs = IOVECS.get();
    iovecs.clear();
    iovecs.add(into);
    return FileCalls.preadv2(fd, iovecs, offset, FileCalls.RWF_NOWAIT) == into.byteSize();
  }

  @Override
  public void write(MemorySegment from, long offset, int flags) throws BlockFault {
    long total = from.byteSize();
    checkWrite(offset, total);
    if (durable(flags)) {
      write(new MemorySegment[] {from}, offset, flags);
      return;
    }
    long done = 0;
    while (done < total) {
      MemorySegment rest =
          done == 0 && total <= CALL_BYTES_MAX
              ? from
              : from.asSlice(done, Math.min(total - done, CALL_BYTES_MAX));
      long count = FileCalls.pwrite(fd, rest, offset + done);
      if (count < 0) {
        throw failed("write", count);
      }
      done += count;
    }
    grown(offset + total);
  }

  @Override
  public void write(MemorySegment[] from, long offset, int flags) throws BlockFault {
    long total = 0;
    for (MemorySegment piece : from) {
      total = Math.addExact(total, piece.byteSize());
    }
    checkWrite(offset, total);
    int how = durable(flags) ? FileCalls.RWF_DSYNC : 0;
    Iovecs iovecs = IOVECS.get();
    long at = offset;
    int next = 0;
    while (next < from.length) {
      next = fill(iovecs, from, next);
      while (iovecs.count() > 0) {
        long count = FileCalls.pwritev2(fd, iovecs, at, how);
        if (count < 0) {
          throw failed("write", count);
        }
        iovecs.consume(count);
        at += count;
      }
    }
    grown(offset + total);
  }

  /** A file's bytes have the places of their offsets. */
  @Override
  public boolean reserve(long offset, long length) {
    return true;
  }

  /**
   * Into the page cache a write of whole pages does not wait for the device. A part of a page may
   * have to read the rest of it first, so that is never done here.
   */
  @Override
  public boolean writeNow(MemorySegment from, long offset, int flags) throws BlockFault {
    long total = from.byteSize();
    if (cache.direct()
        || flags != 0
        || cache.writethrough()
        || ((offset | total) & (PAGE_BYTES - 1)) != 0
        || readOnly
        || !Ranges.contains(length.get(), offset, total)) {
      return false;
    }
    if (noWaitWrites) {
      Iovecs iovecs = IOVECS.get();
      iovecs.clear();
      iovecs.add(from);
      long count = FileCalls.pwritev2(fd, iovecs, offset, FileCalls.RWF_NOWAIT);
      if (count >= 0 || Result.errno(count) == Errno.EAGAIN) {
        return count == total;
      }
      noWaitWrites = false;
    }
    write(from, offset, 0);
    return true;
  }

  @Override
  public @Nullable DirectFile directFile() {
    return cache.direct() ? new OpenFile() : null;
  }

  private final class OpenFile implements DirectFile {
    @Override
    public int descriptor() {
      return fd;
    }

    @Override
    public Limits limits() {
      return limits;
    }

    @Override
    public int writeFlags(int flags) {
      return durable(flags) ? FileCalls.RWF_DSYNC : 0;
    }

    @Override
    public long beginWrite(long offset, long length) {
      return 1;
    }

    @Override
    public void endWrite(long number) {}
  }

  private boolean durable(int flags) {
    return ((flags & FUA) != 0 || cache.writethrough()) && !cache.noFlush();
  }

  private static void checkStart(long offset) throws BlockFault {
    if (offset < 0) {
      throw new BlockFault(Errno.EINVAL, "offset " + offset + " is negative");
    }
  }

  private void checkWrite(long offset, long bytes) throws BlockFault {
    checkStart(offset);
    if (readOnly) {
      throw new BlockFault(Errno.EPERM, "'" + name + "' is open for reading only");
    }
    if (bytes > Long.MAX_VALUE - offset || (device && offset + bytes > length.get())) {
      throw new BlockFault(Errno.ENOSPC, "write ends past the end of '" + name + "'");
    }
  }

  private void grown(long end) {
    if (end > length.get()) {
      length.accumulateAndGet(end, Math::max);
    }
  }

  private BlockFault failed(String doing, long result) {
    return BlockFault.of(Result.errno(result), "Could not " + doing + " '" + name + "'");
  }

  @Override
  public void writeZeroes(long offset, long bytes, int flags) throws BlockFault {
    checkWrite(offset, bytes);
    if (!space.zero(offset, bytes, flags)) {
      if ((flags & NO_FALLBACK) != 0) {
        throw new BlockFault(Errno.EOPNOTSUPP, "'" + name + "' cannot zero without writing");
      }
      writeAllZeroes(offset, bytes);
    }
    grown(offset + bytes);
    if (durable(flags)) {
      flush();
    }
  }

  private void writeAllZeroes(long offset, long bytes) throws BlockFault {
    long at = offset;
    while (at < offset + bytes) {
      MemorySegment[] zeroes = FileSpace.zeroes(offset + bytes - at);
      write(zeroes, at, 0);
      for (MemorySegment piece : zeroes) {
        at += piece.byteSize();
      }
    }
  }

  @Override
  public void discard(long offset, long bytes) throws BlockFault {
    checkWrite(offset, bytes);
    space.discard(offset, bytes);
  }

  @Override
  public void flush() throws BlockFault {
    if (!cache.noFlush() && !readOnly) {
      Result.orFault(FileCalls.fdatasync(fd), "Could not flush '" + name + "'");
    }
  }

  @Override
  public Extent extent(long offset, long bytes) throws BlockFault {
    return space.extent(offset, bytes, this);
  }

  @Override
  public long copyTo(long offset, BlockNode target, long targetOffset, long bytes)
      throws BlockFault {
    return target.copyFrom(this, offset, targetOffset, bytes);
  }

  @Override
  public long copyFrom(BlockNode source, long sourceOffset, long offset, long bytes)
      throws BlockFault {
    checkWrite(offset, bytes);
    if (!(source instanceof FileNode file)) {
      return 0;
    }
    long count =
        FileCalls.copyFileRange(file.fd, sourceOffset, fd, offset, Math.min(bytes, CALL_BYTES_MAX));
    if (count < 0) {
      Errno errno = Result.errno(count);
      return switch (errno) {
        case EXDEV, EOPNOTSUPP, ENOSYS, EINVAL, EBADF, ETXTBSY -> 0;
        default -> throw BlockFault.of(errno, "Could not copy to '" + name + "'");
      };
    }
    grown(offset + count);
    return count;
  }

  @Override
  public NodeInfo info() throws BlockFault {
    var specific = new LinkedHashMap<String, Json>();
    specific.put("type", Json.of(driver));
    specific.put("data", new Json.Obj(Map.of()));
    return NodeInfo.of(OptionalLong.of(Stat.of(fd, name).storedBytes()))
        .withDirty(false)
        .withSpecific(new Json.Obj(specific));
  }

  @Override
  public void resize(long newLength, Preallocation preallocation) throws BlockFault {
    if (readOnly) {
      throw new BlockFault(Errno.EPERM, "'" + name + "' is open for reading only");
    }
    space.resize(newLength, preallocation);
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      FileCalls.close(fd);
    }
  }
}
