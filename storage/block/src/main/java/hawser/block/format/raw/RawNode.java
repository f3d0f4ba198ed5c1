package hawser.block.format.raw;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.block.Extent;
import hawser.block.Limits;
import hawser.block.NodeInfo;
import hawser.block.Preallocation;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** All bytes of the node beneath. */
final class RawNode implements BlockNode {
  private final BlockNode file;

  RawNode(BlockNode file) {
    this.file = file;
  }

  @Override
  public String name() {
    return file.name();
  }

  @Override
  public String driver() {
    return "raw";
  }

  @Override
  public long length() throws BlockFault {
    return file.length();
  }

  @Override
  public boolean readOnly() {
    return file.readOnly();
  }

  @Override
  public Limits limits() {
    return file.limits();
  }

  @Override
  public void read(MemorySegment into, long offset) throws BlockFault {
    file.read(into, offset);
  }

  @Override
  public void read(MemorySegment[] into, long offset) throws BlockFault {
    file.read(into, offset);
  }

  @Override
  public boolean readNow(MemorySegment into, long offset) throws BlockFault {
    return file.readNow(into, offset);
  }

  @Override
  public void write(MemorySegment from, long offset, int flags) throws BlockFault {
    file.write(from, offset, flags);
  }

  @Override
  public void write(MemorySegment[] from, long offset, int flags) throws BlockFault {
    file.write(from, offset, flags);
  }

  @Override
  public boolean writeNow(MemorySegment from, long offset, int flags) throws BlockFault {
    return file.writeNow(from, offset, flags);
  }

  @Override
  public void writeZeroes(long offset, long length, int flags) throws BlockFault {
    file.writeZeroes(offset, length, flags);
  }

  @Override
  public void discard(long offset, long length) throws BlockFault {
    file.discard(offset, length);
  }

  @Override
  public void flush() throws BlockFault {
    file.flush();
  }

  @Override
  public Extent extent(long offset, long length) throws BlockFault {
    return file.extent(offset, length);
  }

  @Override
  public List<BlockNode> children() {
    return List.of(file);
  }

  @Override
  public NodeInfo info() throws BlockFault {
    NodeInfo below = file.info();
    var plain = NodeInfo.of(below.allocated());
    return below.dirty().isPresent() ? plain.withDirty(below.dirty().get()) : plain;
  }

  @Override
  public void resize(long length, Preallocation preallocation) throws BlockFault {
    file.resize(length, preallocation);
  }

  @Override
  public void close() throws BlockFault {
    file.close();
  }
}
