package hawser.vhost.ring;

import java.util.Arrays;
import java.util.Comparator;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * The record of a packed ring's requests under way, in memory that outlives this process
 * (vhost-user, "Inflight I/O tracking"). It keeps copies of the descriptors, for the driver may
 * overwrite those in the ring once a later chain is used. Taking changes the list of free entries
 * at its front only, so it must not run while a chain is given back.
 */
public final class PackedInflight {
  private static final int VERSION = 1;
  private static final int VERSION_AT = 8;
  private static final int SIZE_AT = 10;
  private static final int FREE_AT = 12;
  private static final int OLD_FREE_AT = 14;
  private static final int USED_AT = 16;
  private static final int OLD_USED_AT = 18;
  private static final int WRAP_AT = 20;
  private static final int OLD_WRAP_AT = 21;
  private static final int ENTRIES_AT = 32;
  private static final int ENTRY_BYTES = 32;

  private static final int NEXT = 2;
  private static final int LAST = 4;
  private static final int PLACES = 6;
  private static final int COUNTER = 8;
  private static final int ID = 16;
  private static final int FLAGS = 18;
  private static final int LENGTH = 20;
  private static final int ADDRESS = 24;

  private final long at;
  private final int size;
  private final IntConsumer crashPoint;
  private long counter;
  private int[] left = new int[0];

  /**
   * A record at a host address.
   *
   * @param crashPoint told the number of each step, so that a test can end the process there
   */
  public PackedInflight(long address, int size, IntConsumer crashPoint) {
    this.at = address;
    this.size = size;
    this.crashPoint = crashPoint;
  }

  /** Bytes of a record for a ring of that size. */
  public static long bytes(int size) {
    return ENTRIES_AT + (long) size * ENTRY_BYTES;
  }

  private long entry(int index) {
    // The front-end could have written anything here; an entry outside would be somebody else's.
    return at + ENTRIES_AT + (long) Math.min(index, size - 1) * ENTRY_BYTES;
  }

  /**
   * Puts the record right after a crash; makes it ready if nobody has used it. The ring then goes
   * on where the record says.
   *
   * @param used where a ring without a record goes on, which need not be at its beginning: the
   *     front-end of a guest that migrates asks for a new record at the destination
   * @param wrap the wrap counter there
   * @return false for a record that cannot be: the ring has to go on without
   */
  boolean recover(RingLayout ring, int used, boolean wrap) {
    if (Cells.u16(at + VERSION_AT) == 0) {
      begin(used, wrap);
    }
    int oldUsed = Cells.u16(at + OLD_USED_AT);
    if (oldUsed >= size) {
      return false;
    }
    boolean oldWrap = Cells.u8(at + OLD_WRAP_AT) != 0;
    if (Cells.u16(at + USED_AT) != oldUsed || usedWrap() != oldWrap) {
      // Giving was under way. It counts if the driver could see it.
      long descriptor = ring.descriptors() + (long) oldUsed * RingLayout.DESCRIPTOR_BYTES;
      if (!PackedRing.isAvailable(Cells.acquire16(descriptor + 14), oldWrap)) {
        commit();
      }
    }
    Cells.put16(at + FREE_AT, Cells.u16(at + OLD_FREE_AT));
    Cells.put16(at + USED_AT, Cells.u16(at + OLD_USED_AT));
    Cells.put8(at + WRAP_AT, Cells.u8(at + OLD_WRAP_AT));
    int free = Cells.u16(at + FREE_AT);
    for (int i = 0; i < size && free < size; i++) {
      Cells.put8(entry(free), 0);
      free = Cells.u16(entry(free) + NEXT);
    }
    left =
        IntStream.range(0, size)
            .filter(i -> Cells.u8(entry(i)) != 0)
            .boxed()
            .sorted(Comparator.comparingLong(i -> Cells.i64(entry(i) + COUNTER)))
            .mapToInt(i -> i)
            .toArray();
    if (left.length > 0) {
      counter = Cells.i64(entry(left[left.length - 1]) + COUNTER) + 1;
    }
    return true;
  }

  private void begin(int used, boolean wrap) {
    for (int i = 0; i < size; i++) {
      Cells.put16(entry(i) + NEXT, i + 1);
    }
    Cells.put16(at + USED_AT, used);
    Cells.put16(at + OLD_USED_AT, used);
    Cells.put8(at + WRAP_AT, wrap ? 1 : 0);
    Cells.put8(at + OLD_WRAP_AT, wrap ? 1 : 0);
    Cells.put16(at + SIZE_AT, size);
    Cells.release16(at + VERSION_AT, VERSION);
  }

  private void commit() {
    Cells.put16(at + OLD_FREE_AT, Cells.u16(at + FREE_AT));
    Cells.put16(at + OLD_USED_AT, Cells.u16(at + USED_AT));
    Cells.release8(at + OLD_WRAP_AT, Cells.u8(at + WRAP_AT));
  }

  int used() {
    return Math.min(Cells.u16(at + USED_AT), size - 1);
  }

  boolean usedWrap() {
    return Cells.u8(at + WRAP_AT) != 0;
  }

  int leftCount() {
    return left.length;
  }

  int left(int which) {
    return left[which];
  }

  int placesUnderWay() {
    return Math.min(Arrays.stream(left).map(this::places).sum(), size);
  }

  int places(int entry) {
    return Cells.u16(entry(entry) + PLACES);
  }

  int next(int entry) {
    return Cells.u16(entry(entry) + NEXT);
  }

  long address(int entry) {
    return Cells.i64(entry(entry) + ADDRESS);
  }

  int length(int entry) {
    return Cells.i32(entry(entry) + LENGTH);
  }

  int id(int entry) {
    return Cells.u16(entry(entry) + ID);
  }

  int flags(int entry) {
    return Cells.u16(entry(entry) + FLAGS);
  }

  /** Begins to record a chain; answers its first entry. */
  int begin() {
    crashPoint.accept(1);
    int head = Cells.u16(at + OLD_FREE_AT);
    Cells.put16(entry(head) + PLACES, 0);
    Cells.put64(entry(head) + COUNTER, counter++);
    Cells.release8(entry(head), 1);
    crashPoint.accept(2);
    return head;
  }

  /** Records the next descriptor of the chain that {@link #begin} began. */
  void add(long address, int length, int id, int flags) {
    int head = Cells.u16(at + OLD_FREE_AT);
    int free = Cells.u16(at + FREE_AT);
    Cells.put16(entry(head) + LAST, free);
    Cells.put16(entry(head) + PLACES, Cells.u16(entry(head) + PLACES) + 1);
    Cells.put64(entry(free) + ADDRESS, address);
    Cells.put32(entry(free) + LENGTH, length);
    Cells.put16(entry(free) + FLAGS, flags);
    Cells.put16(entry(free) + ID, id);
    Cells.release16(at + FREE_AT, Cells.u16(entry(free) + NEXT));
  }

  /** The chain is complete. */
  void taken() {
    crashPoint.accept(3);
    Cells.release16(at + OLD_FREE_AT, Cells.u16(at + FREE_AT));
    crashPoint.accept(4);
  }

  void giving(int head, int used, boolean wrap) {
    crashPoint.accept(5);
    int last = Cells.u16(entry(head) + LAST);
    Cells.put16(entry(last) + NEXT, Cells.u16(at + FREE_AT));
    Cells.put16(at + FREE_AT, head);
    Cells.put8(at + WRAP_AT, wrap ? 1 : 0);
    Cells.release16(at + USED_AT, used);
    crashPoint.accept(6);
  }

  void given(int head) {
    crashPoint.accept(7);
    Cells.release8(entry(head), 0);
    crashPoint.accept(8);
    commit();
    crashPoint.accept(9);
  }
}
