package hawser.vhost.ring;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.base.PeerFault;
import hawser.sys.HostMemory;
import hawser.vhost.frontend.DriverQueue;
import hawser.vhost.frontend.GuestRam;
import hawser.vhost.frontend.RingMemory;
import hawser.vhost.message.VirtioFeature;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Rings with loops, wild addresses, zero lengths, indices of nowhere and tables outside of memory:
 * what comes out is what a second reading of the rules says, or a fault that names queue and
 * descriptor.
 */
class HostileRingTest {
  private static final int RINGS = 100_000;
  private static final int SIZE = 8;
  private static final long REGION = 1 << 16;
  private static final long GAP = 1 << 16;

  private static final long SPLIT = 0;
  private static final long SPLIT_INDIRECT = VirtioFeature.INDIRECT_DESC;
  private static final long PACKED = VirtioFeature.RING_PACKED;
  private static final long PACKED_INDIRECT = PACKED | SPLIT_INDIRECT;

  @ParameterizedTest
  @ValueSource(longs = {SPLIT, SPLIT_INDIRECT, PACKED, PACKED_INDIRECT})
  void whatComesOutIsRightOrAFault(long features) throws Exception {
    try (GuestRam ram = GuestRam.of(3, REGION, GAP);
        var sides = new BothSides(ram, SIZE, features, 4)) {
      var hostile = new Hostile(sides, ram, (features & VirtioFeature.INDIRECT_DESC) != 0);
      for (int seed = 0; seed < RINGS; seed++) {
        try {
          hostile.ring(new Random(seed));
        } catch (AssertionError | RuntimeException e) {
          throw new AssertionError("features %#x, seed %d".formatted(features, seed), e);
        }
      }
      // The dice are such that neither outcome is rare.
      assertThat(hostile.chains).isGreaterThan(RINGS / 5);
      assertThat(hostile.faults).isGreaterThan(RINGS / 5);
    }
  }

  private static final class Hostile {
    private final BothSides sides;
    private final DriverQueue driver;
    private final GuestRam ram;
    private final RingReader reader;
    private final RingMemory ring;
    private final long tables;
    private Random dice = new Random(0);
    private int chains;
    private int faults;

    Hostile(BothSides sides, GuestRam ram, boolean indirect) {
      this.sides = sides;
      this.driver = sides.driver;
      this.ram = ram;
      this.ring = driver.memory();
      this.reader = new RingReader(ram, ring, indirect);
      this.tables = ram.allocate(1, 256, 16);
    }

    void ring(Random newDice) {
      dice = newDice;
      driver.reset();
      sides.succeed(null);
      int requests = 1 + dice.nextInt(3);
      for (int i = 0; i < requests; i++) {
        add();
      }
      driver.publish();
      for (int i = dice.nextInt(6); i > 0; i--) {
        spoil();
      }
      take(requests);
    }

    private void add() {
      driver.begin();
      int readable = dice.nextInt(3);
      int writable = dice.nextInt(3);
      for (int i = 0; i < readable; i++) {
        driver.readable(dice.nextLong(REGION / 2), 1 + dice.nextInt(64));
      }
      for (int i = 0; i < writable || readable + i == 0; i++) {
        driver.writable(REGION + GAP + dice.nextLong(REGION / 2), 1 + dice.nextInt(64));
      }
      int _ = driver.add();
    }

    /** Overwrites a field of the ring, or of a table, with something between odd and absurd. */
    private void spoil() {
      boolean inTable = dice.nextInt(3) == 0;
      long table = inTable ? tables : ring.descriptors();
      long descriptor = ram.host(table + 16L * dice.nextInt(SIZE), 16);
      boolean packed = sides.packed();
      switch (dice.nextInt(packed ? 5 : 7)) {
        case 0 -> Cells.put64(descriptor, address());
        case 1 -> Cells.put32(descriptor + 8, length());
        case 2, 3 -> {
          int at = packed ? 14 : 12;
          int keep = packed ? Cells.u16(descriptor + at) & 0x8080 : 0;
          Cells.put16(descriptor + at, keep | dice.nextInt(8));
        }
        case 4 -> {
          Cells.put64(descriptor, tables);
          Cells.put32(descriptor + 8, 16 * dice.nextInt(6));
          int at = packed ? 14 : 12;
          Cells.put16(descriptor + at, (Cells.u16(descriptor + at) & 0x8080) | 4);
        }
        case 5 -> Cells.put16(descriptor + 14, dice.nextInt(4) == 0 ? 65535 : dice.nextInt(10));
        default -> spoilAvailable();
      }
    }

    private void spoilAvailable() {
      long available = ram.host(ring.available(), 4 + 2 * SIZE);
      if (dice.nextBoolean()) {
        Cells.put16(available + 2, dice.nextInt(12) == 0 ? dice.nextInt(65536) : dice.nextInt(12));
      } else {
        Cells.put16(available + 4 + 2L * dice.nextInt(4), dice.nextInt(10));
      }
    }

    private long address() {
      long[] odd = {
        0,
        1,
        -1,
        -16,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        REGION - 1,
        REGION,
        REGION + 16,
        tables,
        REGION + GAP - 8,
        REGION + GAP,
        3 * REGION + 2 * GAP - 4,
        5 * REGION,
        1L << 62
      };
      return dice.nextInt(4) == 0 ? dice.nextLong() : odd[dice.nextInt(odd.length)];
    }

    private int length() {
      int[] odd = {0, 1, 16, 17, 4096, (int) REGION, -1, Integer.MIN_VALUE, 16 * 1025};
      return dice.nextInt(4) == 0 ? dice.nextInt() : odd[dice.nextInt(odd.length)];
    }

    private void take(int requests) {
      int place = 0;
      for (int i = 0; i < 4 * SIZE; i++) {
        List<RingReader.Piece> expected = sides.packed() ? reader.packed(place) : splitAt(i);
        Chain chain;
        try {
          chain = sides.device.take();
        } catch (PeerFault fault) {
          faults++;
          assertThat(fault.getMessage())
              .matches("queue 3(, descriptor \\d+)?: .+")
              .matches(".*(descriptor|available index).*");
          assertThat(expected == null || usedTwice(i) || i >= requests).isTrue();
          return;
        }
        if (chain == null) {
          return;
        }
        assertThat(expected).isNotNull();
        compare(chain, expected);
        chains++;
        place += chain.places;
      }
      throw new AssertionError("the ring never ends");
    }

    private List<RingReader.Piece> splitAt(int which) {
      return reader.split(head(which));
    }

    private int head(int which) {
      return Cells.u16(ram.host(ring.available() + 4 + 2L * (which % SIZE), 2));
    }

    /** A head that is made available a second time is a fault, though its chain is right. */
    private boolean usedTwice(int which) {
      for (int i = 0; i < which && !sides.packed(); i++) {
        if (head(i) == head(which)) {
          return true;
        }
      }
      // Or the index itself is beyond reason: then nothing is taken at all.
      return !sides.packed() && Cells.u16(ram.host(ring.available() + 2, 2)) > SIZE;
    }

    private void compare(Chain chain, List<RingReader.Piece> expected) {
      long readable = bytes(expected, false);
      long writable = bytes(expected, true);
      assertThat(chain.readableBytes()).isEqualTo(readable);
      assertThat(chain.writableBytes()).isEqualTo(writable);
      compare(chain.readable(0, readable), expected, false);
      compare(chain.writable(0, writable), expected, true);
    }

    private static long bytes(List<RingReader.Piece> pieces, boolean writable) {
      return pieces.stream()
          .filter(piece -> piece.writable() == writable)
          .mapToLong(RingReader.Piece::bytes)
          .sum();
    }

    private void compare(MemorySegment[] found, List<RingReader.Piece> expected, boolean writable) {
      int i = 0;
      for (RingReader.Piece piece : expected) {
        if (piece.writable() == writable) {
          long host = sides.memory.table().ofGuestAddress(piece.address(), piece.bytes());
          assertThat(found[i].address()).isEqualTo(host);
          assertThat(found[i].byteSize()).isEqualTo(piece.bytes());
          // To prove that it is memory at all.
          byte _ = HostMemory.ALL.get(ValueLayout.JAVA_BYTE, host + piece.bytes() - 1);
          i++;
        }
      }
      assertThat(found).hasSize(i);
    }
  }
}
