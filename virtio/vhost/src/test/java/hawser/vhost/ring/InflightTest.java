package hawser.vhost.ring;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.vhost.frontend.DriverQueue;
import hawser.vhost.frontend.GuestRam;
import hawser.vhost.message.VirtioFeature;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.IntConsumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A device dies at every step of the record of requests under way, and again while its successor
 * serves what it left: no request is lost, and none comes again after the driver could see it done.
 */
class InflightTest {
  private static final int SIZE = 8;
  private static final int REQUESTS = 40;

  /** More than any order of dice needs for all requests. */
  private static final int TURNS_MAX = 10_000;

  private static final long SPLIT = 0;
  private static final long SPLIT_INDIRECT = VirtioFeature.INDIRECT_DESC;
  private static final long PACKED = VirtioFeature.RING_PACKED;
  private static final long PACKED_INDIRECT = PACKED | VirtioFeature.INDIRECT_DESC;

  /** The process ends here. */
  private static final class Crash extends Error {
    private static final long serialVersionUID = 1L;
  }

  /** Ends the process at a step; the steps are counted through all devices. */
  private static final class Steps implements IntConsumer {
    private final Set<Integer> seen = new HashSet<>();
    private int left;

    @Override
    public void accept(int step) {
      seen.add(step);
      if (--left == 0) {
        throw new Crash();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {SPLIT, SPLIT_INDIRECT, PACKED, PACKED_INDIRECT})
  void noRequestIsLostOrComesAgain(long features) throws Exception {
    var dice = new Random(features + 1);
    for (int seed = 0; seed < 12; seed++) {
      boolean crashed = true;
      for (int first = 1; crashed; first++) {
        int second = 1 + dice.nextInt(20);
        try {
          crashed = run(features, seed, first, second);
        } catch (AssertionError | RuntimeException e) {
          throw new AssertionError(
              "features %#x, seed %d, crash at %d and %d".formatted(features, seed, first, second),
              e);
        }
      }
    }
  }

  /** So it is at the destination of a migration. */
  @ParameterizedTest
  @ValueSource(longs = {SPLIT, SPLIT_INDIRECT, PACKED, PACKED_INDIRECT})
  void aNewRecordBeginsWhereTheRingIs(long features) throws Exception {
    for (int before = 0; before <= 2 * SIZE; before++) {
      try (GuestRam ram = GuestRam.of(1 << 20);
          var sides = new BothSides(ram, SIZE, features, 3)) {
        var life = new Life(sides, new Random(before));
        life.live(before);
        sides.succeed(_ -> {});
        life.live(before + REQUESTS);
      }
    }
  }

  /** One life after the other; whether the first ended before its time. */
  private static boolean run(long features, int seed, int first, int second) throws Exception {
    try (GuestRam ram = GuestRam.of(1 << 20);
        var sides = new BothSides(ram, SIZE, features, 3)) {
      var life = new Life(sides, new Random(seed));
      var steps = new Steps();
      int crashes = 0;
      for (int lives : new int[] {first, second, Integer.MAX_VALUE}) {
        steps.left = lives;
        sides.succeed(steps);
        try {
          life.live(REQUESTS);
          break;
        } catch (Crash _) {
          crashes++;
        }
      }
      assertThat(life.done).isEqualTo(REQUESTS);
      if (crashes == 0) {
        int last = sides.packed() ? 9 : 7;
        assertThat(steps.seen).hasSize(last).contains(1, last);
      }
      return crashes > 0;
    }
  }

  /** The driver, which lives on, and the device of the moment. */
  private static final class Life {
    private final BothSides sides;
    private final DriverQueue driver;
    private final Random dice;
    private final long memory;

    /** Of each request under way its length, by which the device knows it. */
    private final int[] underWay = new int[SIZE];

    private final Set<Integer> seenDone = new HashSet<>();
    private int made;
    private int done;

    Life(BothSides sides, Random dice) {
      this.sides = sides;
      this.driver = sides.driver;
      this.dice = dice;
      this.memory = sides.ram.allocate(4096, 8);
    }

    /** Lives until so many requests are done, and makes no more. */
    void live(int requests) {
      List<Chain> held = new ArrayList<>();
      Set<Integer> taken = new HashSet<>();
      for (int turn = 0; done < requests; turn++) {
        assertThat(turn).as("requests are lost: %s", seenDone).isLessThan(TURNS_MAX);
        while (made < requests && dice.nextInt(3) > 0 && add()) {
          driver.publish();
        }
        if (dice.nextBoolean()) {
          takeDone();
        }
        Chain chain = sides.device.take();
        if (chain != null) {
          int which = (int) chain.readableBytes();
          assertThat(taken.add(which)).as("request %d comes twice", which).isTrue();
          takeDone();
          assertThat(seenDone)
              .as("request %d comes after it was done", which)
              .doesNotContain(which);
          held.add(chain);
        }
        while (!held.isEmpty() && dice.nextInt(3) == 0) {
          sides.device.give(held.remove(dice.nextInt(held.size())), 0);
        }
      }
    }

    private boolean add() {
      driver.begin();
      // Its length is its name: from 1 on, in one to three pieces.
      int name = made + 1;
      int pieces = Math.min(name, 1 + dice.nextInt(3));
      for (int i = 1; i < pieces; i++) {
        driver.readable(memory + i, 1);
      }
      driver.readable(memory, name - pieces + 1);
      int id = driver.add();
      if (id == DriverQueue.NONE) {
        return false;
      }
      assertThat(underWay[id]).isZero();
      underWay[id] = name;
      made++;
      return true;
    }

    private void takeDone() {
      for (int id = driver.take(); id != DriverQueue.NONE; id = driver.take()) {
        assertThat(underWay[id]).isPositive();
        assertThat(seenDone.add(underWay[id])).isTrue();
        underWay[id] = 0;
        done++;
      }
    }
  }
}
