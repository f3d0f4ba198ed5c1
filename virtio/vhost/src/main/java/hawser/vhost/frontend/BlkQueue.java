package hawser.vhost.frontend;

import hawser.vhost.ring.Cells;
import java.lang.foreign.MemorySegment;

/**
 * Requests of virtio-blk on one queue: a fixed number of slots, each with memory for a header, data
 * and the answer, so that nothing is allocated while they are in use. Belongs to one thread.
 */
public final class BlkQueue {
  /** No slot. */
  public static final int NONE = -1;

  private static final int HEADER_BYTES = 16;

  /** What a slot holds before the device answers: no status of virtio's. */
  private static final int UNANSWERED = 0xff;

  private final DriverQueue queue;
  private final int dataBytes;
  private final int pieceBytes;
  private final long[] header;
  private final long[] headerHost;
  private final long[] data;
  private final long[] dataHost;
  private final int[] slotOf;
  private final int[] free;
  private int freeCount;

  /**
   * Slots in memory of {@code ram}.
   *
   * @param slots how many requests may be under way
   * @param dataBytes how much data each may have
   * @param pieceBytes the longest piece of data in one descriptor
   */
  public BlkQueue(DriverQueue queue, GuestRam ram, int slots, int dataBytes, int pieceBytes) {
    this.queue = queue;
    this.dataBytes = dataBytes;
    this.pieceBytes = pieceBytes;
    this.header = new long[slots];
    this.headerHost = new long[slots];
    this.data = new long[slots];
    this.dataHost = new long[slots];
    this.free = new int[slots];
    this.slotOf = new int[queue.memory().size()];
    for (int i = 0; i < slots; i++) {
      header[i] = ram.allocate(HEADER_BYTES + 1, HEADER_BYTES);
      headerHost[i] = ram.host(header[i], HEADER_BYTES + 1);
      data[i] = ram.allocate(dataBytes, GuestRam.PAGE_BYTES);
      dataHost[i] = ram.host(data[i], dataBytes);
      free[freeCount++] = slots - 1 - i;
    }
  }

  /** The queue below. */
  public DriverQueue queue() {
    return queue;
  }

  /** A slot that nobody uses, or {@link #NONE}. */
  public int claim() {
    if (freeCount == 0) {
      return NONE;
    }
    int slot = free[--freeCount];
    return slot;
  }

  /** Gives a slot back that is not under way. */
  public void release(int slot) {
    free[freeCount++] = slot;
  }

  /** The first bytes of a slot's data. */
  public MemorySegment data(int slot, int bytes) {
    if (bytes > dataBytes) {
      throw new IllegalArgumentException("%d bytes, more than %d".formatted(bytes, dataBytes));
    }
    return hawser.sys.HostMemory.at(dataHost[slot], bytes);
  }

  /**
   * Adds a request in a claimed slot; {@link DriverQueue#submit} shows it to the device. False when
   * the ring has no room.
   *
   * @param out bytes of the slot's data that the device reads
   * @param in bytes of the slot's data that the device writes, from the same first byte
   */
  public boolean add(int slot, BlkType type, long sector, int out, int in) {
    return add(slot, type.number, sector, out, in);
  }

  /** The same with a type that virtio may not know. */
  public boolean add(int slot, int type, long sector, int out, int in) {
    Cells.put32(headerHost[slot], type);
    Cells.put32(headerHost[slot] + 4, 0);
    Cells.put64(headerHost[slot] + 8, sector);
    Cells.put8(headerHost[slot] + HEADER_BYTES, UNANSWERED);
    queue.begin();
    queue.readable(header[slot], HEADER_BYTES);
    for (int at = 0; at < out; at += pieceBytes) {
      queue.readable(data[slot] + at, Math.min(pieceBytes, out - at));
    }
    for (int at = 0; at < in; at += pieceBytes) {
      queue.writable(data[slot] + at, Math.min(pieceBytes, in - at));
    }
    queue.writable(header[slot] + HEADER_BYTES, 1);
    int id = queue.add();
    if (id == DriverQueue.NONE) {
      return false;
    }
    slotOf[id] = slot;
    return true;
  }

  /** The slot of a request that the device is done with, or {@link #NONE}. */
  public int take() {
    int id = queue.take();
    return id == DriverQueue.NONE ? NONE : slotOf[id];
  }

  /** The device's answer: 0 done, 1 input/output error, 2 not supported. */
  public int status(int slot) {
    return Cells.u8(headerHost[slot] + HEADER_BYTES);
  }
}
