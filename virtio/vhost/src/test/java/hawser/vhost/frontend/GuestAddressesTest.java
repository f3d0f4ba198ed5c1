package hawser.vhost.frontend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import hawser.base.PeerFault;
import hawser.vhost.message.FrontEndMessage.SetVringAddr;
import hawser.vhost.message.ProtocolFeature;
import hawser.vhost.message.VirtioFeature;
import java.util.BitSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A front-end that says guest addresses where others say its own (GPA_ADDRESSES): of rings, of
 * memory regions and of translations.
 */
class GuestAddressesTest {
  private static final long PROTOCOL = DriverPlan.PROTOCOL_ALL | ProtocolFeature.GPA_ADDRESSES.mask;
  private static final int BYTES = 5000;

  @ParameterizedTest
  @ValueSource(
      longs = {
        DriverPlan.SPLIT,
        DriverPlan.PACKED,
        DriverPlan.SPLIT | VirtioFeature.ACCESS_PLATFORM,
        DriverPlan.PACKED | VirtioFeature.ACCESS_PLATFORM
      })
  void ringsAndLogAreFound(long features) throws Exception {
    try (var served = new Served(new EchoDevice());
        GuestRam ram = GuestRam.of(2, 1 << 18, 1 << 16);
        Driver driver =
            Driver.start(served.frontEnd(), ram, DriverPlan.of(features).withProtocol(PROTOCOL))) {
      assertThat(ProtocolFeature.GPA_ADDRESSES.in(driver.protocol())).isTrue();
      long at = ram.allocate(1, 2 * BYTES, 4096);
      echo(driver, at, 1);
      driver.stop();
      driver.resume();
      DirtyPages log = driver.startLog();
      echo(driver, at, 2);
      BitSet marked = log.take();
      assertThat(marked.get((int) ((at + BYTES) >>> 12))).isTrue();
      assertThat(marked.get((int) ((at + 2 * BYTES - 1) >>> 12))).isTrue();
      RingMemory ring = driver.queue(0).memory();
      boolean packed = (features & VirtioFeature.RING_PACKED) != 0;
      assertThat(marked.get((int) ((packed ? ring.descriptors() : ring.used()) >>> 12))).isTrue();
      driver.stop();
    }
  }

  private static void echo(Driver driver, long at, int value) {
    DriverQueue queue = driver.queue(0);
    GuestRam ram = driver.ram();
    ram.at(at, BYTES).fill((byte) value);
    queue.begin();
    queue.readable(at, BYTES);
    queue.writable(at + BYTES, BYTES);
    assertThat(queue.add()).isNotEqualTo(DriverQueue.NONE);
    queue.submit();
    assertThat(queue.await(60_000)).isTrue();
    assertThat(queue.take()).isNotEqualTo(DriverQueue.NONE);
    assertThat(ram.at(at, BYTES).mismatch(ram.at(at + BYTES, BYTES))).isEqualTo(-1);
  }

  @ParameterizedTest
  @ValueSource(longs = {DriverPlan.SPLIT, DriverPlan.PACKED})
  void theFrontEndsOwnAddressesMeanNothing(long features) throws Exception {
    try (var served = new Served(new EchoDevice());
        GuestRam ram = GuestRam.of(1 << 18);
        Driver driver =
            Driver.start(served.frontEnd(), ram, DriverPlan.of(features).withProtocol(PROTOCOL))) {
      RingMemory ring = driver.queue(0).memory();
      assertThatThrownBy(
              () ->
                  driver
                      .frontEnd()
                      .setVringAddr(
                          new SetVringAddr(
                              0,
                              0,
                              ram.host(ring.descriptors(), 1),
                              ram.host(ring.used(), 1),
                              ram.host(ring.available(), 1),
                              0)))
          .isInstanceOf(PeerFault.class);
    }
  }
}
