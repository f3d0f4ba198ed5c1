package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.block.BlockNode;
import hawser.block.CheckReport;
import hawser.block.DirtyBitmap;
import hawser.block.Extent;
import hawser.block.Limits;
import hawser.block.NodeInfo;
import hawser.block.Preallocation;
import hawser.block.Repair;
import hawser.block.format.qcow2.check.CheckLimits;
import hawser.block.format.qcow2.check.Qcow2Check;
import hawser.block.format.qcow2.layout.BitmapDirectory;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.block.format.qcow2.layout.Snapshot;
import hawser.block.format.qcow2.layout.StoredBitmap;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A qcow2 disk. Threads as {@link BlockNode} says; the package documentation tells how they meet.
 */
public final class Qcow2Node implements BlockNode {
  private final Image image;
  private final @Nullable Writing writing;
  private final Limits limits;
  private volatile boolean closed;

  private Qcow2Node(Image image, @Nullable Writing writing) {
    this.image = image;
    this.writing = writing;
    int subcluster = 1 << image.geometry.subclusterBits();
    this.limits = new Limits(1, 1, subcluster, image.geometry.clusterBytes());
  }

  static Qcow2Node open(Image.Parts parts) throws BlockFault {
    Image image = Image.of(parts);
    try {
      return new Qcow2Node(image, parts.mode().writable() ? Writing.of(image) : null);
    } catch (BlockFault fault) {
      image.release();
      throw fault;
    }
  }

  /** The header as it is now. */
  public Qcow2Header header() {
    return image.header();
  }

  /** The internal snapshots. */
  public List<Snapshot> snapshots() {
    return image.snapshots.snapshots();
  }

  /** The persistent bitmaps as the file has them; empty when they are not to be trusted. */
  public List<StoredBitmap> storedBitmaps() throws BlockFault {
    return BitmapDirectory.read(image.file.node(), image.header()).bitmaps();
  }

  @Override
  public String name() {
    return image.file.node().name();
  }

  @Override
  public String driver() {
    return "qcow2";
  }

  @Override
  public long length() {
    return image.header().size();
  }

  @Override
  public boolean readOnly() {
    return writing == null;
  }

  @Override
  public Limits limits() {
    return limits;
  }

  private void refuseOutside(long offset, long length, Errno errno) throws BlockFault {
    if (!Ranges.contains(length(), offset, length)) {
      throw new BlockFault(
          errno,
          "%d bytes at %d are outside a disk of %d bytes".formatted(length, offset, length()));
    }
  }

  @Override
  public void read(MemorySegment into, long offset) throws BlockFault {
    refuseOutside(offset, into.byteSize(), Errno.EIO);
    image.damage.check();
    image.reader.read(into, offset);
  }

  @Override
  public boolean readNow(MemorySegment into, long offset) throws BlockFault {
    refuseOutside(offset, into.byteSize(), Errno.EIO);
    return image.reader.readNow(into, offset);
  }

  @Override
  public void write(MemorySegment from, long offset, int flags) throws BlockFault {
    refuseOutside(offset, from.byteSize(), Errno.EINVAL);
    Writing open = writing();
    // Bitmaps also record what failed, for a part of it may have reached the disk.
    try {
      if ((flags & COMPRESSED) != 0) {
        open.compressed.write(from, offset);
      } else {
        open.writer.write(from, offset);
      }
    } finally {
      open.bitmaps.mark(offset, from.byteSize());
    }
    finish(open, flags);
  }

  @Override
  public boolean writeNow(MemorySegment from, long offset, int flags) throws BlockFault {
    refuseOutside(offset, from.byteSize(), Errno.EINVAL);
    Writing open = writing();
    if (flags != 0 || image.mode.cache().writethrough()) {
      return false;
    }
    boolean refused = false;
    try {
      refused = !open.writer.writeNow(from, offset);
      return !refused;
    } finally {
      if (!refused) {
        open.bitmaps.mark(offset, from.byteSize());
      }
    }
  }

  @Override
  public boolean reserve(long offset, long length) throws BlockFault {
    refuseOutside(offset, length, Errno.EINVAL);
    writing().writer.reserve(offset, length);
    return true;
  }

  @Override
  public void writeZeroes(long offset, long length, int flags) throws BlockFault {
    refuseOutside(offset, length, Errno.EINVAL);
    Writing open = writing();
    if (length > 0) {
      try {
        open.zeroes.zero(offset, length, flags);
      } finally {
        open.bitmaps.mark(offset, length);
      }
    }
    finish(open, flags);
  }

  @Override
  public void discard(long offset, long length) throws BlockFault {
    refuseOutside(offset, length, Errno.EINVAL);
    Writing open = writing();
    try {
      open.zeroes.discard(offset, length);
    } finally {
      open.bitmaps.mark(offset, length);
    }
  }

  /** What writes have in common at their beginning. */
  private Writing writing() throws BlockFault {
    if (writing == null) {
      throw BlockFault.of(Errno.EPERM, "the image is open for reading");
    }
    writing.begin();
    return writing;
  }

  private void finish(Writing open, int flags) throws BlockFault {
    if ((flags & FUA) != 0 || image.mode.cache().writethrough()) {
      open.flush();
    }
  }

  @Override
  public void flush() throws BlockFault {
    image.damage.check();
    if (writing != null) {
      writing.flush();
    }
  }

  @Override
  public void resize(long length, Preallocation preallocation) throws BlockFault {
    new Growth(writing()).resize(length, preallocation);
  }

  @Override
  public Extent extent(long offset, long length) throws BlockFault {
    refuseOutside(offset, length, Errno.EINVAL);
    return image.extents.at(offset, length);
  }

  @Override
  public @Nullable BlockNode backing() {
    return image.backing;
  }

  /** The stored bitmaps; once something was written, as they record it. */
  @Override
  public List<DirtyBitmap> dirtyBitmaps() throws BlockFault {
    if (writing != null && writing.begun()) {
      return writing.bitmaps.all();
    }
    BlockNode file = image.file.node();
    var found = new ArrayList<DirtyBitmap>();
    for (StoredBitmap stored : BitmapDirectory.read(file, image.header()).bitmaps()) {
      found.add(new PersistentBitmap(stored, file, image.geometry));
    }
    return found;
  }

  @Override
  public void keepBitmap(DirtyBitmap bitmap) throws BlockFault {
    Writing open = writing();
    open.mutex.lock();
    try {
      open.bitmaps.keep(bitmap);
    } finally {
      open.mutex.unlock();
    }
  }

  @Override
  public List<BlockNode> children() {
    var children = new ArrayList<BlockNode>();
    children.add(image.file.node());
    if (image.dataNode != null) {
      children.add(image.dataNode);
    }
    if (image.backing != null) {
      children.add(image.backing);
    }
    return children;
  }

  @Override
  public String childName(BlockNode child) {
    return child.equals(image.backing)
        ? "backing"
        : child.equals(image.dataNode) ? "data-file" : "file";
  }

  @Override
  public NodeInfo info() throws BlockFault {
    return Information.of(this, image);
  }

  @Override
  public CheckReport check(Repair repair, Consumer<String> messages) throws BlockFault {
    if (repair != Repair.NOTHING) {
      throw new BlockFault(
          Errno.ENOSYS, "repairing is not possible yet; a check without -r says what is wrong");
    }
    return Qcow2Check.run(
        image.file.node(), image.header(), messages::accept, CheckLimits.standard());
  }

  @Override
  public void close() throws BlockFault {
    if (!closed) {
      closed = true;
      try {
        if (writing != null) {
          writing.close();
        }
      } finally {
        image.close();
      }
    }
  }
}
