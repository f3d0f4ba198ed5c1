package hawser.tools.io;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.json.Json;
import hawser.block.BlockNode;
import hawser.block.Extent;
import hawser.block.OpenMode;
import hawser.block.OpenPolicy;
import hawser.block.Opener;
import hawser.block.Options;
import hawser.block.Preallocation;
import hawser.block.filter.FilterNode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;

/**
 * A disk whose writes go to a temporary file ({@code -s}): the disk beneath is read and never
 * written. The file has no name while it is in use and is gone when it is closed.
 */
public final class SnapshotNode extends FilterNode {
  private static final int CLUSTER_BYTES = 65536;

  private final BlockNode changes;
  private final BitSet changed = new BitSet();

  private SnapshotNode(BlockNode below, BlockNode changes) {
    super(below);
    this.changes = changes;
  }

  /** Over {@code below}, which it closes when it is closed, or when this fails. */
  public static BlockNode over(BlockNode below) throws BlockFault {
    try {
      Path file = Files.createTempFile("hawser", ".snapshot");
      try {
        var options = new Options().put("driver", Json.of("file"));
        options.put("filename", Json.of(file.toString()));
        BlockNode changes = new Opener(OpenPolicy.NOTHING).open(options, OpenMode.WRITE);
        changes.resize(below.length(), Preallocation.OFF);
        return new SnapshotNode(below, changes);
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      below.close();
      throw new BlockFault(Errno.EIO, "Could not open temporary file: " + e.getMessage(), e);
    }
  }

  @Override
  public String driver() {
    return "qcow2";
  }

  @Override
  public boolean readOnly() {
    return false;
  }

  @Override
  public synchronized void read(MemorySegment into, long offset) throws BlockFault {
    long done = 0;
    while (done < into.byteSize()) {
      Extent run = extent(offset + done, into.byteSize() - done);
      MemorySegment part = into.asSlice(done, run.length());
      (run.depth() == 0 ? changes : below()).read(part, run.offset());
      done += run.length();
    }
  }

  @Override
  public void read(MemorySegment[] into, long offset) throws BlockFault {
    long at = offset;
    for (MemorySegment piece : into) {
      read(piece, at);
      at += piece.byteSize();
    }
  }

  @Override
  public boolean readNow(MemorySegment into, long offset) {
    return false;
  }

  @Override
  public boolean writeNow(MemorySegment from, long offset, int flags) {
    return false;
  }

  @Override
  public synchronized void write(MemorySegment from, long offset, int flags) throws BlockFault {
    own(offset, from.byteSize());
    changes.write(from, offset, 0);
  }

  @Override
  public void write(MemorySegment[] from, long offset, int flags) throws BlockFault {
    long at = offset;
    for (MemorySegment piece : from) {
      write(piece, at, flags);
      at += piece.byteSize();
    }
  }

  @Override
  public synchronized void writeZeroes(long offset, long length, int flags) throws BlockFault {
    own(offset, length);
    changes.writeZeroes(offset, length, 0);
  }

  @Override
  public void discard(long offset, long length) throws BlockFault {
    writeZeroes(offset, length, 0);
  }

  /** Copies the clusters that a request touches and that were not changed before. */
  private void own(long offset, long length) throws BlockFault {
    int last = (int) ((offset + length - 1) / CLUSTER_BYTES);
    for (int i = (int) (offset / CLUSTER_BYTES); length > 0 && i <= last; i++) {
      if (!changed.get(i)) {
        long at = (long) i * CLUSTER_BYTES;
        try (var arena = Arena.ofConfined()) {
          long bytes = Math.min(CLUSTER_BYTES, below().length() - at);
          MemorySegment buffer = arena.allocate(CLUSTER_BYTES, 4096).asSlice(0, bytes);
          below().read(buffer, at);
          changes.write(buffer, at, 0);
        }
        changed.set(i);
      }
    }
  }

  @Override
  public synchronized Extent extent(long offset, long length) {
    int first = (int) (offset / CLUSTER_BYTES);
    boolean ours = changed.get(first);
    int next = ours ? changed.nextClearBit(first) : changed.nextSetBit(first);
    long end = next < 0 ? Long.MAX_VALUE : (long) next * CLUSTER_BYTES;
    Extent run = Extent.of(offset, Math.min(length, end - offset), Extent.Kind.DATA);
    return ours ? run : run.deeper(1);
  }

  @Override
  public void resize(long length, Preallocation preallocation) throws BlockFault {
    throw new BlockFault(Errno.EOPNOTSUPP, "Image format driver does not support resize");
  }

  @Override
  public void flush() {}

  @Override
  public void close() throws BlockFault {
    try {
      changes.close();
    } finally {
      super.close();
    }
  }
}
