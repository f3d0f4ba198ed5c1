package hawser.block.filter;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Who may change which bytes together. */
class WriteRangesTest {
  private static final int CELLS = 40;

  private final WriteRanges ranges = new WriteRanges();

  private static void awaitWaiting(Thread thread) {
    while (thread.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
  }

  @Test
  void onlyWhatOverlapsIsInTheWay() {
    long alone = ranges.enter(10, 20, true);
    assertThat(ranges.tryEnter(0, 11)).isZero();
    assertThat(ranges.tryEnter(19, 30)).isZero();
    assertThat(ranges.tryEnter(0, 100)).isZero();
    long before = ranges.tryEnter(0, 10);
    long behind = ranges.tryEnter(20, 30);
    assertThat(before).isNotZero();
    assertThat(behind).isNotZero().isNotEqualTo(before);
    ranges.leave(ranges.enter(30, 40, true));
    ranges.leave(alone);
    long shared = ranges.tryEnter(0, 100);
    assertThat(shared).isNotZero();
    ranges.leave(shared);
    ranges.leave(before);
    ranges.leave(behind);
    ranges.leave(ranges.enter(0, 100, true));
  }

  @Test
  void whoWaitsIsInNobodysWay() throws Exception {
    long alone = ranges.enter(0, 10, true);
    var waiting = new Thread(() -> ranges.leave(ranges.enter(5, 25, true)));
    waiting.start();
    awaitWaiting(waiting);
    long elsewhere = ranges.enter(20, 30, true);
    ranges.leave(alone);
    assertThat(ranges.tryEnter(0, 5)).isNotZero();
    assertThat(ranges.tryEnter(25, 30)).isZero();
    ranges.leave(elsewhere);
    waiting.join();
    assertThat(ranges.tryEnter(5, 25)).isNotZero();
  }

  @Test
  void anInterruptIsKeptForLater() throws Exception {
    long alone = ranges.enter(0, 10, true);
    var interrupted = new AtomicReference<Boolean>();
    var waiting =
        new Thread(
            () -> {
              ranges.leave(ranges.enter(0, 10, true));
              interrupted.set(Thread.interrupted());
            });
    waiting.start();
    awaitWaiting(waiting);
    waiting.interrupt();
    while (waiting.isInterrupted()) {
      Thread.onSpinWait();
    }
    awaitWaiting(waiting);
    ranges.leave(alone);
    waiting.join();
    assertThat(interrupted.get()).isTrue();
  }

  @Test
  void manyAtOnceNeverMeetOneThatIsAlone() throws Exception {
    var cells = new AtomicIntegerArray(CELLS);
    var faults = new AtomicReference<Throwable>();
    List<Thread> threads = new ArrayList<>();
    for (int seed = 0; seed < 24; seed++) {
      var dice = new Random(seed);
      var thread = new Thread(() -> enterOften(cells, dice));
      thread.setUncaughtExceptionHandler((_, thrown) -> faults.set(thrown));
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(faults.get()).isNull();
  }

  /** A cell counts those that share it, or is -1 while somebody has it alone. */
  private void enterOften(AtomicIntegerArray cells, Random dice) {
    for (int i = 0; i < 2000; i++) {
      int start = dice.nextInt(CELLS);
      int end = start + 1 + dice.nextInt(Math.min(6, CELLS - start));
      boolean alone = dice.nextInt(3) == 0;
      long number = ranges.enter(start, end, alone);
      for (int cell = start; cell < end; cell++) {
        if (alone) {
          assertThat(cells.compareAndSet(cell, 0, -1)).isTrue();
        } else {
          assertThat(cells.incrementAndGet(cell)).isPositive();
        }
      }
      for (int cell = start; cell < end; cell++) {
        if (alone) {
          assertThat(cells.compareAndSet(cell, -1, 0)).isTrue();
        } else {
          assertThat(cells.decrementAndGet(cell)).isNotNegative();
        }
      }
      ranges.leave(number);
    }
  }
}
