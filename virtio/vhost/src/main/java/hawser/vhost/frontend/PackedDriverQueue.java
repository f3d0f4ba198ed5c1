package hawser.vhost.frontend;

import hawser.sys.HostMemory;
import hawser.vhost.ring.Cells;
import hawser.vhost.ring.RingLayout;
import java.lang.invoke.VarHandle;

/** The packed layout from the driver's side (virtio, "Packed Virtqueues"). */
public final class PackedDriverQueue extends DriverQueue {
  private static final int AVAILABLE = 1 << 7;
  private static final int USED = 1 << 15;
  private static final int EVENTS_ENABLE = 0;
  private static final int EVENTS_DISABLE = 1;
  private static final int EVENTS_AT = 2;
  private static final int WRAP_BIT = 15;

  private final int[] freeIds;
  private final int[] places;
  private int freeIdCount;
  private int free;
  private int nextPlace;
  private boolean nextWrap;
  private int addedSinceKick;
  private int usedPlace;
  private boolean usedWrap;

  /** The first descriptor of the oldest chain that is not published, and its flags. */
  private final int[] heldPlace;

  private final int[] heldFlags;
  private int held;

  PackedDriverQueue(
      int index, GuestRam ram, RingMemory memory, long features, int indirectEntries) {
    super(index, ram, memory, features, indirectEntries);
    this.freeIds = new int[size];
    this.places = new int[size];
    this.heldPlace = new int[size];
    this.heldFlags = new int[size];
    reset();
  }

  private long descriptor(int place) {
    return descriptors + (long) place * RingLayout.DESCRIPTOR_BYTES;
  }

  @Override
  public int add() {
    boolean indirect = fitsTable();
    int wanted = indirect ? 1 : pieces;
    if (free < wanted || freeIdCount == 0) {
      return NONE;
    }
    int id = freeIds[--freeIdCount];
    places[id] = wanted;
    free -= wanted;
    heldPlace[held] = nextPlace;
    if (indirect) {
      int bytes = pieces * RingLayout.DESCRIPTOR_BYTES;
      put(0, fillTable(id, true), bytes, id, INDIRECT);
    } else {
      for (int i = 0; i < pieces; i++) {
        int flags = (i < readablePieces ? 0 : WRITE) | (i + 1 == pieces ? 0 : NEXT);
        put(i, pieceAddress[i], pieceBytes[i], id, flags);
      }
    }
    held++;
    addedSinceKick += wanted;
    noteAdded(id);
    return id;
  }

  /** Writes the chain's next descriptor; the flags of its first wait for {@link #publish}. */
  private void put(int which, long address, int bytes, int id, int flags) {
    int whole = flags | (nextWrap ? AVAILABLE : USED);
    writeDescriptor(nextPlace, address, bytes, id);
    if (which == 0) {
      heldFlags[held] = whole;
    } else {
      writeFlags(nextPlace, whole);
    }
    if (++nextPlace == size) {
      nextPlace = 0;
      nextWrap = !nextWrap;
    }
  }

  /** Writes any descriptor but for its flags. */
  public void writeDescriptor(int place, long address, int bytes, int id) {
    long at = descriptor(place);
    Cells.put64(at, address);
    Cells.put32(at + 8, bytes);
    Cells.put16(at + 12, id);
  }

  /** Writes any flags, after all that was written before. */
  public void writeFlags(int place, int flags) {
    Cells.release16(descriptor(place) + 14, flags);
  }

  /** The flags that make a descriptor available at the place where the next chain would begin. */
  public int availableFlags() {
    return nextWrap ? AVAILABLE : USED;
  }

  /** Where the next chain would begin. */
  public int nextPlace() {
    return nextPlace;
  }

  @Override
  public void publish() {
    // From the last to the first: the device stops at the first that it may not take yet.
    while (held > 0) {
      held--;
      writeFlags(heldPlace[held], heldFlags[held]);
    }
  }

  @Override
  boolean wantsKick() {
    VarHandle.fullFence();
    int before = nextPlace - addedSinceKick;
    addedSinceKick = 0;
    int flags = Cells.u16(used + 2) & 3;
    if (flags != EVENTS_AT || !eventIndex) {
      return flags != EVENTS_DISABLE;
    }
    int word = Cells.u16(used);
    int event = word & 0x7fff;
    if ((word >>> WRAP_BIT != 0) != nextWrap) {
      event -= size;
    }
    return (nextPlace - event - 1 & 0xffff) < (nextPlace - before & 0xffff);
  }

  @Override
  public boolean ready() {
    if (batchEnd != NONE) {
      return true;
    }
    return isUsed(usedPlace, usedWrap);
  }

  private boolean isUsed(int place, boolean wrap) {
    int flags = Cells.acquire16(descriptor(place) + 14) & (AVAILABLE | USED);
    return flags == (wrap ? AVAILABLE | USED : 0);
  }

  @Override
  public int take() {
    if (!ready()) {
      return NONE;
    }
    return taken(batchEnd == NONE ? look() : nextOfBatch());
  }

  private int look() {
    long at = descriptor(usedPlace);
    int id = Cells.u16(at + 12);
    checkUnderWay(id);
    boolean written = (Cells.u16(at + 14) & WRITE) != 0;
    lastUsedBytes = written ? Integer.toUnsignedLong(Cells.i32(at + 8)) : 0;
    return inOrder ? beginBatch(id) : id;
  }

  private int taken(int id) {
    usedPlace += places[id];
    if (usedPlace >= size) {
      usedPlace -= size;
      usedWrap = !usedWrap;
    }
    free += places[id];
    freeIds[freeIdCount++] = id;
    noteTaken(id);
    return id;
  }

  @Override
  public void enableCalls() {
    if (eventIndex) {
      Cells.put16(available, usedPlace | (usedWrap ? 1 << WRAP_BIT : 0));
      VarHandle.releaseFence();
      Cells.put16(available + 2, EVENTS_AT);
    } else {
      Cells.put16(available + 2, EVENTS_ENABLE);
    }
    VarHandle.fullFence();
  }

  @Override
  public void disableCalls() {
    Cells.put16(available + 2, EVENTS_DISABLE);
  }

  @Override
  public int usedBase() {
    int place = usedPlace;
    boolean wrap = usedWrap;
    while (isUsed(place, wrap)) {
      int id = Cells.u16(descriptor(place) + 12);
      checkUnderWay(id);
      place += places[id];
      if (place >= size) {
        place -= size;
        wrap = !wrap;
      }
    }
    int half = place | (wrap ? 1 << WRAP_BIT : 0);
    return half | half << 16;
  }

  @Override
  public void reset() {
    forget();
    HostMemory.at(descriptors, RingLayout.descriptorBytes(size)).fill((byte) 0);
    Cells.put32(available, 0);
    Cells.put32(used, 0);
    for (int i = 0; i < size; i++) {
      freeIds[i] = size - 1 - i;
    }
    freeIdCount = size;
    free = size;
    held = 0;
    nextPlace = 0;
    nextWrap = true;
    addedSinceKick = 0;
    usedPlace = 0;
    usedWrap = true;
  }
}
