package hawser.vhost.frontend;

import hawser.base.PeerFault;
import hawser.sys.EventFd;
import hawser.sys.FileCalls;
import hawser.sys.PollSet;
import hawser.vhost.message.VirtioFeature;
import hawser.vhost.ring.Cells;
import hawser.vhost.ring.RingLayout;
import java.lang.foreign.Arena;

/**
 * A virtqueue as the driver uses it. A request is put together from its pieces ({@link #begin},
 * {@link #readable}, {@link #writable}), {@link #add}ed under a number that its completion names,
 * and shown to the device by {@link #submit}. Nothing is allocated on the way. Belongs to one
 * thread.
 *
 * <p>What the device says is checked: a completion of what is not under way is a {@link PeerFault}.
 */
public abstract sealed class DriverQueue implements AutoCloseable
    permits SplitDriverQueue, PackedDriverQueue {
  /** No request. */
  public static final int NONE = -1;

  static final int NEXT = 1;
  static final int WRITE = 2;
  static final int INDIRECT = 4;

  final int index;
  final RingMemory memory;
  final int size;
  final long descriptors;
  final long available;
  final long used;
  final boolean eventIndex;
  final boolean inOrder;
  final boolean[] underWay;

  /** Numbers of requests in the order in which they were added. */
  private final int[] order;

  private int oldest;
  private int outstanding;
  int batchEnd = NONE;
  private long batchBytes;

  long[] pieceAddress = new long[8];
  int[] pieceBytes = new int[8];
  int pieces;
  int readablePieces;
  long lastUsedBytes;

  /**
   * Behind an IOMMU the device is told addresses that are so much higher than the guest's, so that
   * one that does not translate finds nothing.
   */
  static final long IOVA_OFFSET = 1L << 40;

  private final long addressOffset;
  private final GuestRam ram;
  private final int indirectEntries;
  private final long indirectTables;
  private final int kick;
  private final int call;
  private final PollSet calls = new PollSet(Arena.ofAuto(), 1);
  private Runnable kicking;
  private long kicks;

  DriverQueue(int index, GuestRam ram, RingMemory memory, long features, int indirectEntries) {
    this.index = index;
    this.addressOffset = (features & VirtioFeature.ACCESS_PLATFORM) != 0 ? IOVA_OFFSET : 0;
    this.ram = ram;
    this.memory = memory;
    this.size = memory.size();
    this.descriptors = ram.host(memory.descriptors(), RingLayout.descriptorBytes(size));
    this.available = ram.host(memory.available(), 4);
    this.used = ram.host(memory.used(), 4);
    this.eventIndex = (features & VirtioFeature.EVENT_IDX) != 0;
    this.inOrder = (features & VirtioFeature.IN_ORDER) != 0;
    this.underWay = new boolean[size];
    this.order = new int[size];
    boolean indirect = (features & VirtioFeature.INDIRECT_DESC) != 0;
    this.indirectEntries = indirect ? indirectEntries : 0;
    long table = this.indirectEntries * (long) RingLayout.DESCRIPTOR_BYTES;
    this.indirectTables = table == 0 ? 0 : ram.allocate(table * size, RingLayout.DESCRIPTOR_BYTES);
    this.kick = (int) EventFd.create();
    this.call = (int) EventFd.create();
    this.kicking = () -> EventFd.signal(kick);
    calls.set(0, call);
  }

  /**
   * A queue in new memory of {@code ram}, split or packed as the features say.
   *
   * @param indirectEntries pieces from two to so many go into a table of their own, where the
   *     features allow it; 0 for never
   */
  public static DriverQueue create(
      int index, GuestRam ram, int size, long features, int indirectEntries) {
    RingMemory memory = RingMemory.allocate(ram, size, features);
    return (features & VirtioFeature.RING_PACKED) != 0
        ? new PackedDriverQueue(index, ram, memory, features, indirectEntries)
        : new SplitDriverQueue(index, ram, memory, features, indirectEntries);
  }

  /** Which of the device's queues this is. */
  public int index() {
    return index;
  }

  /** Where the ring lies, for SET_VRING_ADDR and for those who want to write nonsense. */
  public RingMemory memory() {
    return memory;
  }

  /** The eventfd that wakes the device. */
  public int kickDescriptor() {
    return kick;
  }

  /** The eventfd that wakes the driver. */
  public int callDescriptor() {
    return call;
  }

  /** How many requests the device has. */
  public int outstanding() {
    return outstanding;
  }

  /** How often the device was kicked. */
  public long kicks() {
    return kicks;
  }

  /** Begins a request without pieces. */
  public void begin() {
    pieces = 0;
    readablePieces = 0;
  }

  /** Adds a piece that the device reads; all such come before those that it writes. */
  public void readable(long guestAddress, int bytes) {
    piece(guestAddress, bytes);
    readablePieces = pieces;
  }

  /** Adds a piece that the device writes. */
  public void writable(long guestAddress, int bytes) {
    piece(guestAddress, bytes);
  }

  private void piece(long guestAddress, int bytes) {
    if (pieces == pieceBytes.length) {
      pieceAddress = java.util.Arrays.copyOf(pieceAddress, 2 * pieces);
      pieceBytes = java.util.Arrays.copyOf(pieceBytes, 2 * pieces);
    }
    pieceAddress[pieces] = guestAddress + addressOffset;
    pieceBytes[pieces] = bytes;
    pieces++;
  }

  /**
   * Puts the request into the ring. Answers the number by which {@link #take} names it, below the
   * size of the ring, or {@link #NONE} when the ring has no room.
   */
  public abstract int add();

  /** Lets the device see what was added; without a kick. */
  public abstract void publish();

  /** Whether the device wants a kick for what was published since the last such question. */
  abstract boolean wantsKick();

  /** Publishes what was added and kicks the device if it wants that; whether it did. */
  public boolean submit() {
    publish();
    if (wantsKick()) {
      kick();
      return true;
    }
    return false;
  }

  /** Kicks the device, wanted or not. */
  public void kick() {
    kicks++;
    kicking.run();
  }

  /** Kicks in another way than by {@link #kickDescriptor}. */
  void kickBy(Runnable way) {
    kicking = way;
  }

  /** A request that the device is done with, or {@link #NONE}. */
  public abstract int take();

  /** What the device said it wrote for the last request taken, in bytes; 0 where it did not say. */
  public long usedBytes() {
    return lastUsedBytes;
  }

  /** Whether {@link #take} would find something. */
  public abstract boolean ready();

  /** Asks for a call at the next completion. */
  public abstract void enableCalls();

  /** Says that calls are not needed, where that can be said. */
  public abstract void disableCalls();

  /**
   * Waits for something to take by the call eventfd, so many milliseconds at most. Whether there is
   * something.
   */
  public boolean await(int milliseconds) {
    long end = System.nanoTime() + milliseconds * 1_000_000L;
    enableCalls();
    while (!ready()) {
      long left = end - System.nanoTime();
      if (left <= 0) {
        return false;
      }
      calls.await((int) Math.min(Integer.MAX_VALUE, left / 1_000_000 + 1));
      EventFd.drain(call);
    }
    return true;
  }

  /**
   * The number for SET_VRING_BASE for a device that has served what the ring shows as used and must
   * look at all else again.
   */
  public abstract int usedBase();

  /** Forgets all that is under way and goes on at the beginning of a cleared ring. */
  public abstract void reset();

  /** Writes a request's pieces into its table; answers the table's guest address. */
  long fillTable(int id, boolean packed) {
    long bytes = (long) indirectEntries * RingLayout.DESCRIPTOR_BYTES;
    long table = indirectTables + id * bytes;
    long at = ram.host(table, bytes);
    for (int i = 0; i < pieces; i++, at += RingLayout.DESCRIPTOR_BYTES) {
      boolean last = i + 1 == pieces;
      int flags = (i < readablePieces ? 0 : WRITE) | (packed || last ? 0 : NEXT);
      Cells.put64(at, pieceAddress[i]);
      Cells.put32(at + 8, pieceBytes[i]);
      Cells.put16(at + 12, packed ? 0 : flags);
      Cells.put16(at + 14, packed ? flags : last ? 0 : i + 1);
    }
    return table + addressOffset;
  }

  boolean fitsTable() {
    return pieces > 1 && pieces <= indirectEntries;
  }

  void noteAdded(int id) {
    underWay[id] = true;
    order[(oldest + outstanding) % size] = id;
    outstanding++;
  }

  /** The device used, in order, all up to this one; answers the first of them. */
  int beginBatch(int last) {
    batchEnd = last;
    batchBytes = lastUsedBytes;
    return nextOfBatch();
  }

  /** Of a batch that the device used in order, the next; the last of it is {@link #batchEnd}. */
  int nextOfBatch() {
    int id = order[oldest];
    lastUsedBytes = id == batchEnd ? batchBytes : 0;
    batchEnd = id == batchEnd ? NONE : batchEnd;
    return id;
  }

  void noteTaken(int id) {
    underWay[id] = false;
    outstanding--;
    oldest = oldest + 1 == size ? 0 : oldest + 1;
  }

  void forget() {
    java.util.Arrays.fill(underWay, false);
    oldest = 0;
    outstanding = 0;
    batchEnd = NONE;
  }

  void checkUnderWay(int id) {
    if (id < 0 || id >= size || !underWay[id]) {
      throw new PeerFault(
          "queue %d: the device used %s, which is not under way"
              .formatted(index, Integer.toUnsignedString(id)));
    }
  }

  @Override
  public void close() {
    FileCalls.close(kick);
    FileCalls.close(call);
  }
}
