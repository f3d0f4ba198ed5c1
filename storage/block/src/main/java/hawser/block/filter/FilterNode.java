package hawser.block.filter;

import hawser.base.BlockFault;
import hawser.block.BlkdebugEvent;
import hawser.block.BlockNode;
import hawser.block.Breakpoints;
import hawser.block.Extent;
import hawser.block.Limits;
import hawser.block.Permissions;
import hawser.block.Preallocation;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * A node that passes every call on to the one beneath it; filters override what they change. The
 * vectored calls go down as they are, so that a filter which looks at data overrides both forms.
 */
public abstract class FilterNode implements BlockNode {
  private final BlockNode below;

  /** On top of {@code below}, which it closes with itself. */
  protected FilterNode(BlockNode below) {
    this.below = below;
  }

  /** The node beneath. */
  protected final BlockNode below() {
    return below;
  }

  @Override
  public String name() {
    return below.name();
  }

  @Override
  public long length() throws BlockFault {
    return below.length();
  }

  @Override
  public boolean readOnly() {
    return below.readOnly();
  }

  @Override
  public Limits limits() {
    return below.limits();
  }

  @Override
  public void read(MemorySegment into, long offset) throws BlockFault {
    below.read(into, offset);
  }

  @Override
  public void read(MemorySegment[] into, long offset) throws BlockFault {
    below.read(into, offset);
  }

  @Override
  public boolean readNow(MemorySegment into, long offset) throws BlockFault {
    return below.readNow(into, offset);
  }

  @Override
  public void write(MemorySegment from, long offset, int flags) throws BlockFault {
    below.write(from, offset, flags);
  }

  @Override
  public void write(MemorySegment[] from, long offset, int flags) throws BlockFault {
    below.write(from, offset, flags);
  }

  @Override
  public boolean writeNow(MemorySegment from, long offset, int flags) throws BlockFault {
    return below.writeNow(from, offset, flags);
  }

  @Override
  public void writeZeroes(long offset, long length, int flags) throws BlockFault {
    below.writeZeroes(offset, length, flags);
  }

  @Override
  public void discard(long offset, long length) throws BlockFault {
    below.discard(offset, length);
  }

  @Override
  public void flush() throws BlockFault {
    below.flush();
  }

  @Override
  public Extent extent(long offset, long length) throws BlockFault {
    return below.extent(offset, length);
  }

  @Override
  public void event(BlkdebugEvent event) throws BlockFault {
    below.event(event);
  }

  @Override
  public Optional<Breakpoints> breakpoints() {
    return below.breakpoints();
  }

  @Override
  public void claim(Permissions permissions) throws BlockFault {
    below.claim(permissions);
  }

  @Override
  public List<BlockNode> children() {
    return List.of(below);
  }

  @Override
  public void resize(long length, Preallocation preallocation) throws BlockFault {
    below.resize(length, preallocation);
  }

  @Override
  public void close() throws BlockFault {
    below.close();
  }
}
