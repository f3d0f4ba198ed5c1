package hawser.vhost.ring;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.vhost.frontend.DriverQueue;
import hawser.vhost.frontend.GuestRam;
import hawser.vhost.message.VirtioFeature;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Driver and device understand one another, and neither sleeps while there is work. */
class RingsTest {
  private static final long INDIRECT = VirtioFeature.INDIRECT_DESC;
  private static final long EVENTS = VirtioFeature.EVENT_IDX;
  private static final long PACKED = VirtioFeature.RING_PACKED;
  private static final long IN_ORDER = VirtioFeature.IN_ORDER;

  /** Often enough for every index of 16 bits to come around. */
  private static final int REQUESTS = 150_000;

  private static final int PIECE = 64;

  /** A request as the driver made it: one number out, its negative back. */
  private record Request(long number, long answerAt) {}

  @ParameterizedTest
  @ValueSource(
      longs = {
        0,
        EVENTS,
        INDIRECT,
        INDIRECT | EVENTS,
        IN_ORDER,
        IN_ORDER | INDIRECT | EVENTS,
        PACKED,
        PACKED | EVENTS,
        PACKED | INDIRECT,
        PACKED | INDIRECT | EVENTS,
        PACKED | IN_ORDER,
        PACKED | IN_ORDER | INDIRECT | EVENTS
      })
  void everyRequestIsAnsweredOnce(long features) throws Exception {
    for (int size : new int[] {1, 2, 16, 64}) {
      run(features, size, REQUESTS / 2, 17L * size + features);
    }
    if ((features & PACKED) != 0) {
      // A packed ring need not be a power of two.
      run(features, 11, REQUESTS, features);
    }
  }

  private static void run(long features, int size, int requests, long seed) throws Exception {
    try (GuestRam ram = GuestRam.of(1 << 20);
        var sides = new BothSides(ram, size, features, 4)) {
      new Run(sides, size, (features & IN_ORDER) != 0, seed).run(requests);
    } catch (AssertionError | RuntimeException e) {
      throw new AssertionError("features %#x, size %d, seed %d".formatted(features, size, seed), e);
    }
  }

  /** Both sides take turns by dice, each sleeping when it has said that it may be woken. */
  private static final class Run {
    private final BothSides sides;
    private final DriverQueue driver;
    private final boolean inOrder;
    private final Random dice;
    private final Request[] underWay;
    private final long memory;
    private final int size;
    private final List<Chain> held = new ArrayList<>();
    private final MemorySegment number = Arena.ofAuto().allocate(8, 8);
    private boolean driverSleeps;
    private boolean deviceSleeps;
    private long made;
    private long done;

    Run(BothSides sides, int size, boolean inOrder, long seed) {
      this.sides = sides;
      this.driver = sides.driver;
      this.inOrder = inOrder;
      this.size = size;
      this.dice = new Random(seed);
      this.underWay = new Request[size];
      this.memory = sides.ram.allocate(4L * PIECE * size, PIECE);
    }

    void run(int requests) {
      while (done < requests) {
        assertThat(driverSleeps && deviceSleeps && held.isEmpty())
            .as("both sleep after %d of %d", done, made)
            .isFalse();
        if (dice.nextBoolean()) {
          if (!driverSleeps) {
            drive(requests);
          }
        } else {
          serve();
        }
      }
      assertThat(driver.outstanding()).isZero();
      assertThat(sides.device.take()).isNull();
    }

    private void drive(int requests) {
      int wanted = 1 + dice.nextInt(8);
      int added = 0;
      while (added < wanted && made < requests && add()) {
        added++;
      }
      if (added > 0 && driver.submit()) {
        deviceSleeps = false;
      }
      int taken = 0;
      for (int id = driver.take(); id != DriverQueue.NONE; id = driver.take()) {
        check(id);
        taken++;
      }
      if (dice.nextInt(4) == 0) {
        driver.disableCalls();
      }
      if (added == 0 && taken == 0) {
        driver.enableCalls();
        driverSleeps = !driver.ready();
      }
    }

    private boolean add() {
      if (driver.outstanding() == size) {
        return false;
      }
      int room = (int) (made % size);
      while (inUse(room)) {
        room = (room + 1) % size;
      }
      long at = memory + 4L * PIECE * room;
      sides.ram.at(at, 8).set(ValueLayout.JAVA_LONG, 0, made);
      driver.begin();
      boolean asOne = size < 4 || dice.nextInt(3) == 0;
      driver.readable(at, asOne ? 8 : 3);
      if (!asOne) {
        driver.readable(at + 3, 5);
      }
      if (size > 1) {
        driver.writable(at + PIECE, asOne ? 8 : 1);
        if (!asOne) {
          driver.writable(at + PIECE + 1, 7);
        }
      }
      int id = driver.add();
      if (id == DriverQueue.NONE) {
        return false;
      }
      assertThat(underWay[id]).isNull();
      underWay[id] = new Request(made++, at + PIECE);
      return true;
    }

    private boolean inUse(int room) {
      for (Request request : underWay) {
        if (request != null && request.answerAt == memory + 4L * PIECE * room + PIECE) {
          return true;
        }
      }
      return false;
    }

    private void check(int id) {
      Request request = underWay[id];
      assertThat(request).as("request %d", id).isNotNull();
      underWay[id] = null;
      if (size > 1) {
        long answer = sides.ram.at(request.answerAt, 8).get(ValueLayout.JAVA_LONG, 0);
        assertThat(answer).isEqualTo(-request.number);
        assertThat(driver.usedBytes()).isEqualTo(8);
      }
      done++;
    }

    private void serve() {
      if (!deviceSleeps) {
        take();
      }
      int giving = held.isEmpty() ? 0 : dice.nextInt(held.size() + 1);
      for (int i = 0; i < giving; i++) {
        Chain chain = held.remove(inOrder ? 0 : dice.nextInt(held.size()));
        chain.read(0, number);
        number.set(ValueLayout.JAVA_LONG, 0, -number.get(ValueLayout.JAVA_LONG, 0));
        if (size > 1) {
          chain.write(0, number);
        }
        sides.device.give(chain, chain.writableBytes());
      }
      if (giving > 0 && sides.device.wantsCall()) {
        driverSleeps = false;
      }
    }

    private void take() {
      int wanted = 1 + dice.nextInt(8);
      for (int i = 0; i < wanted; i++) {
        Chain chain = sides.device.take();
        if (chain == null) {
          deviceSleeps = !sides.device.enableKicks();
          return;
        }
        assertThat(chain.readableBytes()).isEqualTo(8);
        assertThat(chain.writableBytes()).isEqualTo(size > 1 ? 8 : 0);
        held.add(chain);
      }
      if (dice.nextInt(4) == 0) {
        sides.device.disableKicks();
      }
    }
  }
}
