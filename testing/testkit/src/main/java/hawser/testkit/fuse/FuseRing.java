package hawser.testkit.fuse;

import hawser.sys.HostMemory;
import hawser.vhost.frontend.DriverQueue;
import hawser.vhost.frontend.GuestRam;
import java.lang.foreign.MemorySegment;

/**
 * Places for requests and their answers in a guest's memory, and one virtqueue that they go
 * through. What follows a request's head, and an answer's header, lies in whole pages, each a
 * descriptor of its own, as a guest's page cache has them. Allocates nothing while in use. Belongs
 * to one thread.
 */
public final class FuseRing {
  /** No slot. */
  public static final int NONE = -1;

  /** Bytes of struct fuse_out_header. */
  public static final int ANSWER_HEADER_BYTES = 16;

  private static final int PAGE = GuestRam.PAGE_BYTES;

  private final DriverQueue queue;
  private final GuestRam ram;
  private final int roomBytes;
  private final long[] requests;
  private final long[] answers;
  private final int[] heads;
  private final long[] used;
  private final int[] slotOf;
  private final int[] free;
  private int freeCount;

  /** So many requests under way at most, each with so much data either way. */
  public FuseRing(DriverQueue queue, GuestRam ram, int slots, int roomBytes) {
    this.queue = queue;
    this.ram = ram;
    this.roomBytes = roomBytes;
    this.requests = new long[slots];
    this.answers = new long[slots];
    this.heads = new int[slots];
    this.used = new long[slots];
    this.free = new int[slots];
    this.slotOf = new int[queue.memory().size()];
    for (int i = 0; i < slots; i++) {
      requests[i] = ram.allocate(PAGE + (long) roomBytes, PAGE);
      answers[i] = ram.allocate(PAGE + (long) roomBytes, PAGE);
      free[freeCount++] = slots - 1 - i;
    }
  }

  /** Guest memory that a queue with such slots takes. */
  public static long memoryBytes(int slots, int roomBytes) {
    return 2L * slots * (PAGE + (long) roomBytes);
  }

  /** The queue below. */
  public DriverQueue queue() {
    return queue;
  }

  /** How much data a request or an answer may have. */
  public int roomBytes() {
    return roomBytes;
  }

  /** A slot that nobody uses, or {@link #NONE}. */
  public int claim() {
    return freeCount == 0 ? NONE : free[--freeCount];
  }

  /** Gives a slot back that is not under way. */
  public void release(int slot) {
    free[freeCount++] = slot;
  }

  /** Where to write a request of {@code bytes} whose first {@code head} are no data. */
  public MemorySegment request(int slot, int head, int bytes) {
    heads[slot] = head;
    return at(requests[slot] + PAGE - head, bytes);
  }

  /** The first bytes of the answer: its header, then what follows. */
  public MemorySegment answer(int slot, int bytes) {
    return at(answers[slot] + PAGE - ANSWER_HEADER_BYTES, bytes);
  }

  private MemorySegment at(long guestAddress, int bytes) {
    return HostMemory.at(ram.host(guestAddress, bytes), bytes);
  }

  /**
   * Puts a slot's request into the ring. False when that has no room.
   *
   * @param bytes of the request
   * @param answerBytes room for the answer, header and all
   */
  public boolean add(int slot, int bytes, int answerBytes) {
    queue.begin();
    long from = requests[slot] + PAGE - heads[slot];
    int first = Math.min(Math.min(Request.HEADER_BYTES, heads[slot]), bytes);
    piece(from, first, false);
    piece(from + first, Math.min(heads[slot], bytes) - first, false);
    for (int at = heads[slot]; at < bytes; at += PAGE) {
      piece(from + at, Math.min(PAGE, bytes - at), false);
    }
    long to = answers[slot] + PAGE - ANSWER_HEADER_BYTES;
    int header = Math.min(ANSWER_HEADER_BYTES, answerBytes);
    piece(to, header, true);
    for (int at = header; at < answerBytes; at += PAGE) {
      piece(to + at, Math.min(PAGE, answerBytes - at), true);
    }
    int id = queue.add();
    if (id == DriverQueue.NONE) {
      return false;
    }
    slotOf[id] = slot;
    return true;
  }

  private void piece(long address, int bytes, boolean writable) {
    if (bytes == 0) {
      return;
    }
    if (writable) {
      queue.writable(address, bytes);
    } else {
      queue.readable(address, bytes);
    }
  }

  /** The slot of a request that the device is done with, or {@link #NONE}. */
  public int take() {
    int id = queue.take();
    if (id == DriverQueue.NONE) {
      return NONE;
    }
    used[slotOf[id]] = queue.usedBytes();
    return slotOf[id];
  }

  /** How many bytes of a slot's answer the device says it wrote. */
  public long usedBytes(int slot) {
    return used[slot];
  }
}
