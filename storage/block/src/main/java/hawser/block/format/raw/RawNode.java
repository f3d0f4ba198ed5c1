package hawser.block.format.raw;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.base.json.Json;
import hawser.block.BlkdebugEvent;
import hawser.block.BlockNode;
import hawser.block.DirectFile;
import hawser.block.Extent;
import hawser.block.ImageName;
import hawser.block.NodeInfo;
import hawser.block.Preallocation;
import hawser.block.filter.FilterNode;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of the node beneath, from the start of its window to the window's end or the file's.
 * Its length is whole sectors of 512 bytes; what the file lacks of the last one reads as zeroes.
 */
final class RawNode extends FilterNode {
  private final Window window;
  private final String name;

  /**
   * Which part of the file is the disk.
   *
   * @param start first byte
   * @param size bytes; empty: up to the end of the file, wherever that is
   */
  record Window(long start, OptionalLong size) {}

  RawNode(BlockNode file, Window window, Map<String, Json> given) {
    super(file);
    this.window = window;
    this.name = given.isEmpty() ? file.name() : ImageName.json("raw", given, "file", file);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String driver() {
    return "raw";
  }

  @Override
  public long length() throws BlockFault {
    long rest = Math.max(0, RawDriver.roundUp(below().length()) - window.start());
    return window.size().isPresent() ? Math.min(window.size().getAsLong(), rest) : rest;
  }

  private long at(long offset, long bytes) throws BlockFault {
    long size = length();
    if (!Ranges.contains(size, offset, bytes)) {
      throw new BlockFault(
          Errno.EIO,
          "%d bytes at %d are not inside the disk of %d bytes".formatted(bytes, offset, size));
    }
    return window.start() + offset;
  }

  private long at(MemorySegment[] pieces, long offset) throws BlockFault {
    long bytes = 0;
    for (MemorySegment piece : pieces) {
      bytes += piece.byteSize();
    }
    return at(offset, bytes);
  }

  /** Not for a file with an odd end: writing there must not make it longer. */
  @Override
  public @Nullable DirectFile directFile() {
    DirectFile file = below().directFile();
    try {
      return file != null
              && window.start() == 0
              && below().length() % file.limits().alignment() == 0
          ? file
          : null;
    } catch (BlockFault e) {
      return null; // Without a length there is no telling; the node itself will report it.
    }
  }

  @Override
  public void read(MemorySegment into, long offset) throws BlockFault {
    long at = at(offset, into.byteSize());
    below().event(BlkdebugEvent.READ_AIO);
    below().read(into, at);
  }

  @Override
  public void read(MemorySegment[] into, long offset) throws BlockFault {
    long at = at(into, offset);
    below().event(BlkdebugEvent.READ_AIO);
    below().read(into, at);
  }

  @Override
  public boolean readNow(MemorySegment into, long offset) throws BlockFault {
    return below().readNow(into, at(offset, into.byteSize()));
  }

  @Override
  public void write(MemorySegment from, long offset, int flags) throws BlockFault {
    long at = at(offset, from.byteSize());
    refuseCompressed(flags);
    below().event(BlkdebugEvent.WRITE_AIO);
    below().write(from, at, flags);
  }

  @Override
  public void write(MemorySegment[] from, long offset, int flags) throws BlockFault {
    long at = at(from, offset);
    refuseCompressed(flags);
    below().event(BlkdebugEvent.WRITE_AIO);
    below().write(from, at, flags);
  }

  private static void refuseCompressed(int flags) throws BlockFault {
    if ((flags & COMPRESSED) != 0) {
      throw BlockFault.of(Errno.EOPNOTSUPP, "raw disks hold nothing compressed");
    }
  }

  @Override
  public boolean reserve(long offset, long length) throws BlockFault {
    return below().reserve(at(offset, length), length);
  }

  @Override
  public boolean writeNow(MemorySegment from, long offset, int flags) throws BlockFault {
    return (flags & COMPRESSED) == 0 && below().writeNow(from, at(offset, from.byteSize()), flags);
  }

  @Override
  public void writeZeroes(long offset, long length, int flags) throws BlockFault {
    below().writeZeroes(at(offset, length), length, flags);
  }

  @Override
  public void discard(long offset, long length) throws BlockFault {
    below().discard(at(offset, length), length);
  }

  @Override
  public void flush() throws BlockFault {
    below().event(BlkdebugEvent.FLUSH_TO_OS);
    below().event(BlkdebugEvent.FLUSH_TO_DISK);
    below().flush();
  }

  @Override
  public Extent extent(long offset, long length) throws BlockFault {
    long at = at(offset, 1);
    long bytes = Math.min(length, length() - offset);
    long stored = below().length() - at;
    if (stored <= 0) {
      return new Extent(offset, bytes, Extent.Kind.ZERO, 0, at, below());
    }
    Extent found = below().extent(at, Math.min(bytes, stored));
    // The rest of the last sector goes with what is before it, as reads of it do.
    boolean last = found.length() == stored && bytes > stored;
    return found.at(offset, last ? bytes : found.length());
  }

  @Override
  public long copyTo(long offset, BlockNode target, long targetOffset, long length)
      throws BlockFault {
    return below().copyTo(at(offset, length), target, targetOffset, length);
  }

  @Override
  public long copyFrom(BlockNode source, long sourceOffset, long offset, long length)
      throws BlockFault {
    return below().copyFrom(source, sourceOffset, at(offset, length), length);
  }

  @Override
  public NodeInfo info() throws BlockFault {
    NodeInfo below = below().info();
    var plain = NodeInfo.of(below.allocated());
    return below.dirty().isPresent() ? plain.withDirty(below.dirty().get()) : plain;
  }

  @Override
  public void resize(long length, Preallocation preallocation) throws BlockFault {
    if (window.size().isPresent()) {
      throw new BlockFault(Errno.EOPNOTSUPP, "Cannot resize fixed-size raw disks");
    }
    if (length > Long.MAX_VALUE - window.start()) {
      throw new BlockFault(Errno.EINVAL, "Disk size too large for the chosen offset");
    }
    below().resize(window.start() + length, preallocation);
  }
}
