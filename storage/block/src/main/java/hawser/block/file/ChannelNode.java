package hawser.block.file;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.base.json.Json;
import hawser.block.BlockNode;
import hawser.block.Extent;
import hawser.block.NodeInfo;
import hawser.block.OpenMode;
import hawser.block.Permissions;
import hawser.block.Preallocation;
import hawser.block.ZeroBytes;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A file through Java's own channel: where system calls cannot be made, and for commands that end
 * before they would pay for themselves. Sees no holes, makes none, and looks at image locks without
 * taking them.
 */
final class ChannelNode implements BlockNode {
  private final String driver;
  private final Path path;
  private final String name;
  private final FileChannel channel;
  private final boolean readOnly;
  private final boolean locking;
  private final OpenMode.Cache cache;
  private final AtomicLong length;
  private @Nullable OptionalLong storedBytes;

  private ChannelNode(
      String driver, String name, Path path, FileChannel channel, boolean locking, OpenMode mode)
      throws IOException {
    this.driver = driver;
    this.name = name;
    this.path = path;
    this.channel = channel;
    this.locking = locking;
    this.readOnly = !mode.writable();
    this.cache = mode.cache();
    this.length = new AtomicLong(channel.size());
  }

  static ChannelNode open(String driver, String name, boolean locking, OpenMode mode)
      throws BlockFault {
    Set<StandardOpenOption> how =
        mode.writable()
            ? Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE)
            : Set.of(StandardOpenOption.READ);
    ChannelNode node;
    try {
      Path path = Path.of(name);
      if (Files.isDirectory(path)) {
        throw directory(driver, name, mode);
      }
      FileChannel channel = FileChannel.open(path, how);
      try {
        node = new ChannelNode(driver, name, path, channel, locking, mode);
      } catch (IOException e) {
        channel.close();
        throw e;
      }
    } catch (IOException | InvalidPathException e) {
      throw fault(e, "Could not open '" + name + "'");
    }
    try {
      node.claim(mode.forceShare() ? mode.permissions().sharingAll() : mode.permissions());
    } catch (BlockFault e) {
      node.close();
      throw e;
    }
    return node;
  }

  private static BlockFault directory(String driver, String name, OpenMode mode) {
    return mode.writable()
        ? BlockFault.of(Errno.EISDIR, "Could not open '" + name + "'")
        : new BlockFault(
            Errno.EINVAL, "'" + driver + "' driver requires '" + name + "' to be a regular file");
  }

  /** Java tells some errors by the exception's class and the rest by the C library's words. */
  private static BlockFault fault(Exception e, String doing) {
    Errno errno = Errno.EIO;
    if (e instanceof NoSuchFileException) {
      errno = Errno.ENOENT;
    } else if (e instanceof AccessDeniedException) {
      errno = Errno.EACCES;
    } else {
      String words = e instanceof FileSystemException system ? system.getReason() : e.getMessage();
      for (Errno one : Errno.values()) {
        if (one.text().equals(words)) {
          errno = one;
        }
      }
    }
    return new BlockFault(errno, doing + ": " + errno.text(), e);
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
  public void claim(Permissions permissions) throws BlockFault {
    if (locking) {
      ListedLocks.check(path, name, permissions);
    }
  }

  @Override
  public void read(MemorySegment into, long offset) throws BlockFault {
    if (offset < 0) {
      throw new BlockFault(Errno.EINVAL, "offset " + offset + " is negative");
    }
    long done = 0;
    while (done < into.byteSize()) {
      int count;
      try {
        count = channel.read(buffer(into, done), offset + done);
      } catch (IOException e) {
        throw fault(e, "Could not read '" + name + "'");
      }
      if (count < 0) {
        into.asSlice(done).fill((byte) 0);
        return;
      }
      done += count;
    }
  }

  private static ByteBuffer buffer(MemorySegment segment, long from) {
    return segment
        .asSlice(from, Math.min(segment.byteSize() - from, Integer.MAX_VALUE))
        .asByteBuffer();
  }

  @Override
  public void write(MemorySegment from, long offset, int flags) throws BlockFault {
    checkWrite(offset, from.byteSize());
    long done = 0;
    while (done < from.byteSize()) {
      try {
        done += channel.write(buffer(from, done), offset + done);
      } catch (IOException e) {
        throw fault(e, "Could not write '" + name + "'");
      }
    }
    length.accumulateAndGet(offset + done, Math::max);
    if ((flags & FUA) != 0 || cache.writethrough()) {
      flush();
    }
  }

  private void checkWrite(long offset, long bytes) throws BlockFault {
    if (readOnly) {
      throw new BlockFault(Errno.EPERM, "'" + name + "' is open for reading only");
    }
    if (offset < 0 || bytes > Long.MAX_VALUE - offset) {
      throw new BlockFault(Errno.EINVAL, "write at " + offset + " is out of range");
    }
  }

  @Override
  public void writeZeroes(long offset, long bytes, int flags) throws BlockFault {
    checkWrite(offset, bytes);
    if ((flags & NO_FALLBACK) != 0) {
      throw new BlockFault(Errno.EOPNOTSUPP, "'" + name + "' cannot zero without writing");
    }
    long done = 0;
    while (done < bytes) {
      long now = Math.min(bytes - done, ZeroBytes.SOURCE_BYTES);
      write(ZeroBytes.SOURCE.asSlice(0, now), offset + done, 0);
      done += now;
    }
    if ((flags & FUA) != 0) {
      flush();
    }
  }

  @Override
  public void discard(long offset, long bytes) throws BlockFault {
    checkWrite(offset, bytes);
  }

  @Override
  public void flush() throws BlockFault {
    if (cache.noFlush() || readOnly) {
      return;
    }
    try {
      channel.force(false);
    } catch (IOException e) {
      throw fault(e, "Could not flush '" + name + "'");
    }
  }

  @Override
  public Extent extent(long offset, long bytes) throws BlockFault {
    long size = length.get();
    if (bytes < 1 || !Ranges.contains(size, offset, 1)) {
      throw new BlockFault(Errno.EINVAL, "extent offset " + offset + " is past the end");
    }
    return new Extent(offset, Math.min(bytes, size - offset), Extent.Kind.DATA, 0, offset, this);
  }

  /**
   * Asked once of a disk that only reads: a format and its file are described one after the other.
   */
  private synchronized OptionalLong storedBytes() throws BlockFault {
    OptionalLong known = storedBytes;
    if (known == null || !readOnly) {
      known = StoredBytes.of(name);
      storedBytes = known;
    }
    return known;
  }

  @Override
  public NodeInfo info() throws BlockFault {
    var specific = new LinkedHashMap<String, Json>();
    specific.put("type", Json.of(driver));
    specific.put("data", new Json.Obj(Map.of()));
    return NodeInfo.of(storedBytes()).withDirty(false).withSpecific(new Json.Obj(specific));
  }

  @Override
  public void resize(long newLength, Preallocation preallocation) throws BlockFault {
    checkWrite(newLength, 0);
    long old = length.get();
    if (newLength < old && preallocation != Preallocation.OFF) {
      throw new BlockFault(Errno.EOPNOTSUPP, "Cannot use preallocation for shrinking files");
    }
    switch (preallocation) {
      case OFF -> {
        if (newLength > old) {
          write(ZeroBytes.SOURCE.asSlice(0, 1), newLength - 1, 0);
        } else {
          cut(newLength);
        }
      }
      case FULL, FALLOC -> writeZeroes(old, newLength - old, FUA);
      case METADATA ->
          throw new BlockFault(Errno.EOPNOTSUPP, "Unsupported preallocation mode: metadata");
    }
    length.set(newLength);
  }

  private void cut(long newLength) throws BlockFault {
    try {
      channel.truncate(newLength);
    } catch (IOException e) {
      throw fault(e, "Could not resize file");
    }
  }

  @Override
  public void close() throws BlockFault {
    try {
      channel.close();
    } catch (IOException e) {
      throw fault(e, "Could not close '" + name + "'");
    }
  }
}
