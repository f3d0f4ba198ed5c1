package hawser.block.filter;

import java.util.Arrays;

/**
 * Which bytes of a disk are being changed, and by whom: whoever changes whole blocks shares them
 * with others that do; whoever reads a block to write it back has it alone. Who waits is in
 * nobody's way, as in QEMU: a write held back by one neighbour does not hold back another. Makes no
 * objects. Safe from any thread.
 */
final class WriteRanges {
  private static final int FEW = 16;

  private long[] starts = new long[FEW];
  private long[] ends = new long[FEW];
  private boolean[] taken = new boolean[FEW];
  private boolean[] alone = new boolean[FEW];

  /** No place from here on was ever used. */
  private int places;

  private int aloneCount;
  private int waiting;

  /**
   * Announces a change of {@code [start, end)}; waits while another is in its way.
   *
   * @return what {@link #leave} wants, never 0
   */
  synchronized long enter(long start, long end, boolean isAlone) {
    boolean interrupted = false;
    while (blocked(start, end, isAlone)) {
      waiting++;
      try {
        wait();
      } catch (InterruptedException e) {
        // The change must be made or refused as a whole; whoever interrupted sees it afterwards.
        interrupted = true;
      }
      waiting--;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return occupy(start, end, isAlone);
  }

  /** As {@link #enter} for a range that is shared, but 0 where it would wait. */
  synchronized long tryEnter(long start, long end) {
    return blocked(start, end, false) ? 0 : occupy(start, end, false);
  }

  /** The change which got this number is over. */
  synchronized void leave(long number) {
    int place = (int) (number - 1);
    taken[place] = false;
    if (alone[place]) {
      aloneCount--;
    }
    if (waiting > 0) {
      notifyAll();
    }
  }

  private boolean blocked(long start, long end, boolean isAlone) {
    if (!isAlone && aloneCount == 0) {
      return false;
    }
    for (int i = 0; i < places; i++) {
      if (taken[i] && (isAlone || alone[i]) && starts[i] < end && start < ends[i]) {
        return true;
      }
    }
    return false;
  }

  private long occupy(long start, long end, boolean isAlone) {
    int place = 0;
    while (place < places && taken[place]) {
      place++;
    }
    if (place == taken.length) {
      grow();
    }
    places = Math.max(places, place + 1);
    starts[place] = start;
    ends[place] = end;
    alone[place] = isAlone;
    taken[place] = true;
    if (isAlone) {
      aloneCount++;
    }
    return place + 1L;
  }

  private void grow() {
    int more = taken.length * 2;
    starts = Arrays.copyOf(starts, more);
    ends = Arrays.copyOf(ends, more);
    taken = Arrays.copyOf(taken, more);
    alone = Arrays.copyOf(alone, more);
  }
}
