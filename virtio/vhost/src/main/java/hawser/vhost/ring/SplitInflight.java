package hawser.vhost.ring;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * The record of a split ring's requests under way, in memory that outlives this process
 * (vhost-user, "Inflight I/O tracking"). Each store that a successor depends on comes after the one
 * before it.
 */
public final class SplitInflight {
  private static final int VERSION = 1;
  private static final int VERSION_AT = 8;
  private static final int SIZE_AT = 10;
  private static final int LAST_BATCH_AT = 12;
  private static final int USED_AT = 14;
  private static final int ENTRIES_AT = 16;
  private static final int ENTRY_BYTES = 16;
  private static final int NEXT_AT = 6;
  private static final int COUNTER_AT = 8;

  private final long at;
  private final int size;
  private final IntConsumer crashPoint;
  private long counter;

  /**
   * A record at a host address, made ready if nobody has used it.
   *
   * @param crashPoint told the number of each step, so that a test can end the process there
   */
  public SplitInflight(long address, int size, IntConsumer crashPoint) {
    this.at = address;
    this.size = size;
    this.crashPoint = crashPoint;
    if (Cells.u16(at + VERSION_AT) == 0) {
      Cells.put16(at + SIZE_AT, size);
      Cells.release16(at + VERSION_AT, VERSION);
    }
  }

  /** Bytes of a record for a ring of that size. */
  public static long bytes(int size) {
    return ENTRIES_AT + (long) size * ENTRY_BYTES;
  }

  private long entry(int head) {
    return at + ENTRIES_AT + (long) head * ENTRY_BYTES;
  }

  /** Puts the record right after a crash; answers the heads to serve again, oldest first. */
  List<Integer> recover(int used) {
    int recorded = Cells.u16(at + USED_AT);
    int batch = Math.min(used - recorded & 0xffff, size);
    int head = Cells.u16(at + LAST_BATCH_AT);
    for (int i = 0; i < batch && head < size; i++) {
      Cells.put8(entry(head), 0);
      head = Cells.u16(entry(head) + NEXT_AT);
    }
    Cells.release16(at + USED_AT, used);
    var left = new ArrayList<Integer>();
    for (int i = 0; i < size; i++) {
      if (Cells.u8(entry(i)) != 0) {
        left.add(i);
        counter = Math.max(counter, Cells.i64(entry(i) + COUNTER_AT) + 1);
      }
    }
    left.sort(Comparator.comparingLong(i -> Cells.i64(entry(i) + COUNTER_AT)));
    return left;
  }

  void taken(int head) {
    crashPoint.accept(1);
    Cells.put64(entry(head) + COUNTER_AT, counter++);
    Cells.release8(entry(head), 1);
    crashPoint.accept(2);
  }

  void giving(int head) {
    crashPoint.accept(3);
    Cells.put16(entry(head) + NEXT_AT, Cells.u16(at + LAST_BATCH_AT));
    Cells.release16(at + LAST_BATCH_AT, head);
    crashPoint.accept(4);
  }

  void given(int head, int used) {
    crashPoint.accept(5);
    Cells.release8(entry(head), 0);
    crashPoint.accept(6);
    Cells.release16(at + USED_AT, used);
    crashPoint.accept(7);
  }
}
