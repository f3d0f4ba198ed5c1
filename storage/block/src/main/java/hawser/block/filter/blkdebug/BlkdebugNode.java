package hawser.block.filter.blkdebug;

import hawser.base.BlockFault;
import hawser.block.BlkdebugEvent;
import hawser.block.BlockNode;
import hawser.block.Breakpoints;
import hawser.block.Extent;
import hawser.block.Limits;
import hawser.block.NodeInfo;
import hawser.block.Permissions;
import hawser.block.filter.FilterNode;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.OptionalLong;

/** Fails, delays and stops requests as its rules say. */
final class BlkdebugNode extends FilterNode {
  private final String name;
  private final Rules rules;
  private final int align;
  private final Permissions extra;

  /**
   * Over {@code image}.
   *
   * @param extra permissions to use besides those of its user, and the only ones to share
   */
  BlkdebugNode(BlockNode image, String name, Rules rules, int align, Permissions extra) {
    super(image);
    this.name = name;
    this.rules = rules;
    this.align = align;
    this.extra = extra;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String driver() {
    return "blkdebug";
  }

  @Override
  public NodeInfo info() {
    return NodeInfo.of(OptionalLong.empty());
  }

  @Override
  public String childName(BlockNode child) {
    return "image";
  }

  @Override
  public Optional<Breakpoints> breakpoints() {
    return Optional.of(rules);
  }

  @Override
  public Limits limits() {
    Limits image = below().limits();
    int most = Math.max(align, image.alignment());
    return new Limits(
        most, image.memoryAlignment(), Math.max(most, image.preferred()), image.discardUnit());
  }

  @Override
  public void claim(Permissions permissions) throws BlockFault {
    below()
        .claim(
            new Permissions(
                permissions.used() | extra.used(), permissions.shared() & extra.shared()));
  }

  @Override
  public void event(BlkdebugEvent event) {
    rules.event(event);
  }

  private static long bytes(MemorySegment[] pieces) {
    long sum = 0;
    for (MemorySegment piece : pieces) {
      sum += piece.byteSize();
    }
    return sum;
  }

  @Override
  public void read(MemorySegment into, long offset) throws BlockFault {
    rules.check(Rule.Kind.READ, offset, into.byteSize());
    below().read(into, offset);
  }

  @Override
  public void read(MemorySegment[] into, long offset) throws BlockFault {
    rules.check(Rule.Kind.READ, offset, bytes(into));
    below().read(into, offset);
  }

  /** Rules count requests and may make them wait, so none is served on the side. */
  @Override
  public boolean readNow(MemorySegment into, long offset) {
    return false;
  }

  @Override
  public boolean writeNow(MemorySegment from, long offset, int flags) {
    return false;
  }

  @Override
  public void write(MemorySegment from, long offset, int flags) throws BlockFault {
    rules.event(BlkdebugEvent.PWRITEV);
    rules.check(Rule.Kind.WRITE, offset, from.byteSize());
    below().write(from, offset, flags);
    rules.event(BlkdebugEvent.PWRITEV_DONE);
  }

  @Override
  public void write(MemorySegment[] from, long offset, int flags) throws BlockFault {
    rules.event(BlkdebugEvent.PWRITEV);
    rules.check(Rule.Kind.WRITE, offset, bytes(from));
    below().write(from, offset, flags);
    rules.event(BlkdebugEvent.PWRITEV_DONE);
  }

  @Override
  public void writeZeroes(long offset, long length, int flags) throws BlockFault {
    rules.event(BlkdebugEvent.PWRITEV_ZERO);
    rules.check(Rule.Kind.WRITE_ZEROES, offset, length);
    below().writeZeroes(offset, length, flags);
    rules.event(BlkdebugEvent.PWRITEV_DONE);
  }

  @Override
  public void discard(long offset, long length) throws BlockFault {
    rules.check(Rule.Kind.DISCARD, offset, length);
    below().discard(offset, length);
  }

  @Override
  public void flush() throws BlockFault {
    rules.check(Rule.Kind.FLUSH, 0, 0);
    below().flush();
  }

  @Override
  public Extent extent(long offset, long length) throws BlockFault {
    rules.check(Rule.Kind.BLOCK_STATUS, offset, length);
    return below().extent(offset, length);
  }

  @Override
  public long copyFrom(BlockNode source, long sourceOffset, long offset, long length) {
    return 0;
  }
}
