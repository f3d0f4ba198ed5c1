package hawser.fuzz.crash;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.BlkdebugEvent;
import hawser.block.BlockNode;
import hawser.block.Preallocation;
import hawser.block.filter.FilterNode;
import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * Fails the request of one number, and on demand all that follow until it is healed. What fails is
 * not done. Remembers the events at which it failed. Used by one thread.
 */
final class FailingNode extends FilterNode {
  private final Errno errno;
  private final boolean lasting;
  private final Set<BlkdebugEvent> events = EnumSet.noneOf(BlkdebugEvent.class);
  private final Set<BlkdebugEvent> announced = EnumSet.noneOf(BlkdebugEvent.class);
  private long failAt = Long.MAX_VALUE;
  private long requests;
  private boolean ill;
  private boolean reached;
  private boolean failed;

  FailingNode(BlockNode below, Errno errno, boolean lasting) {
    super(below);
    this.errno = errno;
    this.lasting = lasting;
  }

  /** Fails the request of that number, counted from 0. */
  void failAt(long number) {
    failAt = number;
  }

  /** How many requests have come. */
  long requests() {
    return requests;
  }

  /** Whether a request has failed since the last healing. */
  boolean failed() {
    return failed;
  }

  /** Whether the request that was to fail has come. */
  boolean reached() {
    return reached;
  }

  /** The events announced between the request before the one that failed and that one. */
  Set<BlkdebugEvent> events() {
    return events;
  }

  /** From now on all requests succeed. */
  void heal() {
    ill = false;
    failed = false;
    failAt = Long.MAX_VALUE;
  }

  private void count(String doing) throws BlockFault {
    boolean fails = requests++ == failAt;
    if (fails || ill) {
      ill = lasting;
      failed = true;
      reached = true;
      events.addAll(announced);
      announced.clear();
      throw BlockFault.of(errno, "request " + (requests - 1) + ", a " + doing + ", has failed");
    }
    announced.clear();
  }

  @Override
  public void event(BlkdebugEvent event) {
    announced.add(event);
  }

  @Override
  public String driver() {
    return below().driver();
  }

  @Override
  public List<BlockNode> children() {
    return below().children();
  }

  @Override
  public void read(MemorySegment into, long offset) throws BlockFault {
    count("read");
    below().read(into, offset);
  }

  @Override
  public void read(MemorySegment[] into, long offset) throws BlockFault {
    count("read");
    below().read(into, offset);
  }

  @Override
  public boolean readNow(MemorySegment into, long offset) {
    return false;
  }

  @Override
  public void write(MemorySegment from, long offset, int flags) throws BlockFault {
    count("write");
    below().write(from, offset, flags);
  }

  @Override
  public void write(MemorySegment[] from, long offset, int flags) throws BlockFault {
    count("write");
    below().write(from, offset, flags);
  }

  @Override
  public boolean writeNow(MemorySegment from, long offset, int flags) {
    return false;
  }

  @Override
  public void writeZeroes(long offset, long length, int flags) throws BlockFault {
    count("zeroing");
    below().writeZeroes(offset, length, flags);
  }

  @Override
  public void discard(long offset, long length) throws BlockFault {
    count("discard");
    below().discard(offset, length);
  }

  @Override
  public void flush() throws BlockFault {
    count("flush");
    below().flush();
  }

  @Override
  public void resize(long length, Preallocation preallocation) throws BlockFault {
    count("resize");
    below().resize(length, preallocation);
  }

  @Override
  public long copyFrom(BlockNode source, long sourceOffset, long offset, long length) {
    return 0;
  }
}
