package hawser.block.file;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.base.json.Json;
import hawser.block.BlockNode;
import hawser.block.Extent;
import hawser.block.NodeInfo;
import hawser.block.OpenMode;
import hawser.block.Preallocation;
import hawser.sys.FileCalls;
import hawser.sys.Iovecs;
import hawser.sys.Result;
import hawser.sys.Stat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;

/** A regular file through system calls. */
final class FileNode implements BlockNode {
  private final String name;
  private final int fd;
  private final boolean readOnly;
  private final OpenMode.Cache cache;
  private final ThreadLocal<Iovecs> oneIovec =
      ThreadLocal.withInitial(() -> new Iovecs(Arena.ofAuto(), 1));
  private volatile boolean closed;

  private FileNode(String name, int fd, OpenMode mode) {
    this.name = name;
    this.fd = fd;
    this.readOnly = !mode.writable();
    this.cache = mode.cache();
  }

  static FileNode open(String name, OpenMode mode) throws BlockFault {
    int flags =
        FileCalls.O_CLOEXEC
            | (mode.writable() ? FileCalls.O_RDWR : FileCalls.O_RDONLY)
            | (mode.cache().direct() ? FileCalls.O_DIRECT : 0);
    long fd = FileCalls.open(name, flags, 0);
    Result.orFault(fd, "Could not open '" + name + "'");
    return new FileNode(name, (int) fd, mode);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String driver() {
    return "file";
  }

  @Override
  public long length() throws BlockFault {
    return Stat.of(fd, name).size();
  }

  @Override
  public boolean readOnly() {
    return readOnly;
  }

  @Override
  public void read(MemorySegment into, long offset) throws BlockFault {
    long done = 0;
    while (done < into.byteSize()) {
      long count = FileCalls.pread(fd, into.asSlice(done), offset + done);
      Result.orFault(count, "Could not read '" + name + "'");
      if (count == 0) {
        into.asSlice(done).fill((byte) 0);
        return;
      }
      done += count;
    }
  }

  @Override
  public boolean readNow(MemorySegment into, long offset) throws BlockFault {
    Iovecs iovec = oneIovec.get();
    iovec.clear();
    iovec.add(into);
    return FileCalls.preadv2(fd, iovec, offset, FileCalls.RWF_NOWAIT) == into.byteSize();
  }

  @Override
  public void write(MemorySegment from, long offset, int flags) throws BlockFault {
    long done = 0;
    while (done < from.byteSize()) {
      long count = FileCalls.pwrite(fd, from.asSlice(done), offset + done);
      done += Result.orFault(count, "Could not write '" + name + "'");
    }
    if ((flags & FUA) != 0 || cache.writethrough()) {
      flush();
    }
  }

  @Override
  public void writeZeroes(long offset, long length, int flags) throws BlockFault {
    int mode =
        FileCalls.FALLOC_KEEP_SIZE
            | ((flags & MAY_UNMAP) != 0
                ? FileCalls.FALLOC_PUNCH_HOLE
                : FileCalls.FALLOC_ZERO_RANGE);
    Result.orFault(FileCalls.fallocate(fd, mode, offset, length), "Could not zero '" + name + "'");
  }

  @Override
  public void discard(long offset, long length) throws BlockFault {
    FileCalls.fallocate(
        fd, FileCalls.FALLOC_KEEP_SIZE | FileCalls.FALLOC_PUNCH_HOLE, offset, length);
  }

  @Override
  public void flush() throws BlockFault {
    if (!cache.noFlush() && !readOnly) {
      Result.orFault(FileCalls.fdatasync(fd), "Could not flush '" + name + "'");
    }
  }

  @Override
  public Extent extent(long offset, long length) throws BlockFault {
    if (!Ranges.contains(length(), offset, 1)) {
      throw new BlockFault(Errno.EINVAL, "extent offset " + offset + " is past the end");
    }
    return new Extent(offset, length, Extent.Kind.DATA, 0, offset, this);
  }

  @Override
  public NodeInfo info() throws BlockFault {
    var specific = new LinkedHashMap<String, Json>();
    specific.put("type", Json.of("file"));
    specific.put("data", new Json.Obj(Map.of()));
    return NodeInfo.of(OptionalLong.of(Stat.of(fd, name).storedBytes()))
        .withDirty(false)
        .withSpecific(new Json.Obj(specific));
  }

  @Override
  public void resize(long length, Preallocation preallocation) throws BlockFault {
    Result.orFault(FileCalls.ftruncate(fd, length), "Could not resize '" + name + "'");
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      FileCalls.close(fd);
    }
  }
}
