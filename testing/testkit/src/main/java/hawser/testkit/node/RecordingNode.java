package hawser.testkit.node;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.block.Preallocation;
import hawser.block.filter.FilterNode;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes down everything that changes the node beneath, in the order in which it was done there. A
 * flush that ran beside other requests is written down as of when it was called, for it promises
 * nothing about requests that had not returned by then. Safe from any thread; changes are done one
 * at a time.
 */
public final class RecordingNode extends FilterNode {
  private final List<Operation> log = new ArrayList<>();
  private final Runnable recorded;

  /** Over {@code below}. */
  public RecordingNode(BlockNode below) {
    this(below, () -> {});
  }

  /** The same; {@code recorded} is told of every operation once it is written down. */
  public RecordingNode(BlockNode below, Runnable recorded) {
    super(below);
    this.recorded = recorded;
  }

  private void record(Operation operation) {
    log.add(operation);
    recorded.run();
  }

  /** What was done so far, oldest first; a copy. */
  public synchronized List<Operation> operations() {
    return List.copyOf(log);
  }

  /** How many operations were done so far. */
  public synchronized int count() {
    return log.size();
  }

  /** Forgets what was done so far. */
  public synchronized void forget() {
    log.clear();
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
  public synchronized void write(MemorySegment from, long offset, int flags) throws BlockFault {
    below().write(from, offset, flags);
    boolean durable = (flags & FUA) != 0;
    record(new Operation.Write(offset, from.toArray(ValueLayout.JAVA_BYTE), durable));
  }

  @Override
  public synchronized void write(MemorySegment[] from, long offset, int flags) throws BlockFault {
    long at = offset;
    for (MemorySegment piece : from) {
      write(piece, at, flags);
      at += piece.byteSize();
    }
  }

  @Override
  public boolean writeNow(MemorySegment from, long offset, int flags) {
    return false;
  }

  @Override
  public synchronized void writeZeroes(long offset, long length, int flags) throws BlockFault {
    below().writeZeroes(offset, length, flags);
    record(new Operation.Zero(offset, length, (flags & FUA) != 0));
  }

  @Override
  public synchronized void discard(long offset, long length) throws BlockFault {
    below().discard(offset, length);
    record(new Operation.Discard(offset, length));
  }

  @Override
  public synchronized void resize(long length, Preallocation preallocation) throws BlockFault {
    below().resize(length, preallocation);
    record(new Operation.Resize(length));
  }

  @Override
  public synchronized void flush() throws BlockFault {
    below().flush();
    record(new Operation.Flush());
  }

  @Override
  public long copyFrom(BlockNode source, long sourceOffset, long offset, long length) {
    return 0;
  }
}
