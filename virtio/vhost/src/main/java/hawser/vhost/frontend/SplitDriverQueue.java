package hawser.vhost.frontend;

import hawser.base.PeerFault;
import hawser.vhost.ring.Cells;
import hawser.vhost.ring.RingLayout;
import java.lang.invoke.VarHandle;

/** The split layout from the driver's side (virtio, "Split Virtqueues"). */
public final class SplitDriverQueue extends DriverQueue {
  private static final int NO_INTERRUPT = 1;
  private static final int NO_NOTIFY = 1;

  private final int mask;
  private final int[] next;
  private final int[] places;
  private int free;
  private int freeHead;
  private int added;
  private int published;
  private int lastKick;
  private int lastUsed;

  SplitDriverQueue(int index, GuestRam ram, RingMemory memory, long features, int indirectEntries) {
    super(index, ram, memory, features, indirectEntries);
    this.mask = size - 1;
    this.next = new int[size];
    this.places = new int[size];
    reset();
  }

  @Override
  public int add() {
    boolean indirect = fitsTable();
    int wanted = indirect ? 1 : pieces;
    if (free < wanted) {
      return NONE;
    }
    int head = freeHead;
    if (indirect) {
      long bytes = (long) pieces * RingLayout.DESCRIPTOR_BYTES;
      freeHead = next[head];
      writeDescriptor(head, fillTable(head, false), (int) bytes, INDIRECT, 0);
    } else {
      addChain();
    }
    places[head] = wanted;
    free -= wanted;
    putAvailable(added, head);
    added = added + 1 & 0xffff;
    noteAdded(head);
    return head;
  }

  private void addChain() {
    for (int i = 0; i < pieces; i++) {
      int at = freeHead;
      freeHead = next[at];
      boolean last = i + 1 == pieces;
      int flags = (i < readablePieces ? 0 : WRITE) | (last ? 0 : NEXT);
      writeDescriptor(at, pieceAddress[i], pieceBytes[i], flags, last ? 0 : freeHead);
    }
  }

  /** Writes any descriptor. */
  public void writeDescriptor(int place, long address, int bytes, int flags, int following) {
    long at = descriptors + (long) place * RingLayout.DESCRIPTOR_BYTES;
    Cells.put64(at, address);
    Cells.put32(at + 8, bytes);
    Cells.put16(at + 12, flags);
    Cells.put16(at + 14, following);
  }

  /** Writes any entry of the available ring. */
  public void putAvailable(int entry, int head) {
    Cells.put16(available + 4 + 2L * (entry & mask), head);
  }

  /** Writes any index of the available ring, after all that was written before. */
  public void putAvailableIndex(int value) {
    Cells.release16(available + 2, value);
  }

  @Override
  public void publish() {
    putAvailableIndex(added);
    published = added;
  }

  @Override
  boolean wantsKick() {
    // What was published must be seen before we look whether a kick is wanted.
    VarHandle.fullFence();
    int before = lastKick;
    lastKick = published;
    if (!eventIndex) {
      return (Cells.u16(used) & NO_NOTIFY) == 0;
    }
    int event = Cells.u16(used + 4 + 8L * size);
    return (published - event - 1 & 0xffff) < (published - before & 0xffff);
  }

  @Override
  public boolean ready() {
    return batchEnd != NONE || Cells.acquire16(used + 2) != lastUsed;
  }

  @Override
  public int take() {
    int id = batchEnd == NONE ? look() : nextOfBatch();
    if (id == NONE) {
      return NONE;
    }
    lastUsed = lastUsed + 1 & 0xffff;
    noteTaken(id);
    release(id);
    return id;
  }

  /** The next entry of the used ring, checked, or NONE. */
  private int look() {
    int now = Cells.acquire16(used + 2);
    if (now == lastUsed) {
      return NONE;
    }
    if ((now - lastUsed & 0xffff) > outstanding()) {
      throw new PeerFault(
          "queue %d: used index is %d, %d ahead of %d with %d under way"
              .formatted(index, now, now - lastUsed & 0xffff, lastUsed, outstanding()));
    }
    long element = used + 4 + 8L * (lastUsed & mask);
    int id = Cells.i32(element);
    checkUnderWay(id);
    lastUsedBytes = Integer.toUnsignedLong(Cells.i32(element + 4));
    return inOrder ? beginBatch(id) : id;
  }

  private void release(int head) {
    free += places[head];
    if (inOrder) {
      // Descriptors are used in the order of the table, so the list of free ones is a circle.
      return;
    }
    int last = head;
    for (int i = 1; i < places[head]; i++) {
      last = next[last];
    }
    next[last] = freeHead;
    freeHead = head;
  }

  @Override
  public void enableCalls() {
    if (eventIndex) {
      Cells.put16(available + 4 + 2L * size, lastUsed);
    } else {
      Cells.put16(available, 0);
    }
    VarHandle.fullFence();
  }

  @Override
  public void disableCalls() {
    if (!eventIndex) {
      Cells.put16(available, NO_INTERRUPT);
    }
  }

  @Override
  public int usedBase() {
    return Cells.acquire16(used + 2);
  }

  @Override
  public void reset() {
    forget();
    for (int i = 0; i < size; i++) {
      next[i] = i + 1 & mask;
    }
    free = size;
    freeHead = 0;
    added = 0;
    published = 0;
    lastKick = 0;
    lastUsed = 0;
    Cells.put16(available, 0);
    Cells.put16(available + 2, 0);
    Cells.put16(used, 0);
    Cells.put16(used + 2, 0);
  }
}
