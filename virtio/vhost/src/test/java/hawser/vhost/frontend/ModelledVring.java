package hawser.vhost.frontend;

import static org.assertj.core.api.Assertions.assertThat;

import hawser.sys.EventFd;
import hawser.sys.PollSet;
import hawser.vhost.message.FrontEndMessage.SetVringAddr;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A vring as it should be: configured or not, started or stopped, enabled or disabled (vhost-user,
 * "Ring states"), with the driver's end of it.
 */
final class ModelledVring implements AutoCloseable {
  private static final int REQUESTS_MAX = 16;
  private static final int BYTES = 64;
  private static final int PATIENCE_MILLIS = 60_000;

  final DriverQueue queue;
  private final GuestRam ram;
  private final long buffers;
  private final PollSet calls = new PollSet(Arena.ofAuto(), 1);
  private int serial;
  boolean configured;
  boolean started;
  boolean enabled;
  boolean called;

  ModelledVring(int index, GuestRam ram, int size, long features) {
    this.ram = ram;
    this.queue = DriverQueue.create(index, ram, size, features, 4);
    this.buffers = ram.allocate(2L * BYTES * size, 4096);
    calls.set(0, queue.callDescriptor());
  }

  int index() {
    return queue.index();
  }

  private boolean works() {
    return configured && started && enabled;
  }

  /**
   * BASE where the ring is now, then NUM and ADDR in any order; with those it may work at once, and
   * the base is not the front-end's any more.
   */
  void configure(FrontEnd frontEnd, boolean sizeFirst) {
    frontEnd.setVringBase(index(), queue.usedBase());
    if (sizeFirst) {
      frontEnd.setVringNum(index(), queue.memory().size());
    }
    frontEnd.setVringAddr(addresses());
    if (!sizeFirst) {
      frontEnd.setVringNum(index(), queue.memory().size());
    }
    configured = true;
  }

  private SetVringAddr addresses() {
    RingMemory at = queue.memory();
    return new SetVringAddr(
        index(),
        0,
        ram.host(at.descriptors(), 1),
        ram.host(at.used(), 1),
        ram.host(at.available(), 1),
        0);
  }

  /** As after RESET_DEVICE, when the driver makes its ring anew too. */
  void reset() {
    queue.reset();
    configured = false;
    started = false;
    enabled = false;
  }

  /** Adds requests, as far as there is room, and kicks. */
  void request(int count) {
    for (int i = 0; i < count && queue.outstanding() < REQUESTS_MAX; i++) {
      long at = buffers + 2L * BYTES * (serial % queue.memory().size());
      ram.at(at, BYTES).set(ValueLayout.JAVA_INT, 0, ++serial);
      queue.begin();
      queue.readable(at, BYTES);
      queue.writable(at + BYTES, BYTES);
      assertThat(queue.add()).isNotEqualTo(DriverQueue.NONE);
    }
    queue.publish();
    queue.kick();
  }

  /** A request, which is served now if the vring works, and otherwise is not. */
  void ask() {
    if (!works()) {
      request(1);
      assertThat(queue.ready()).as("vring %d serves", index()).isFalse();
      return;
    }
    request(0);
    awaitAll();
    EventFd.drain(queue.callDescriptor());
    queue.enableCalls();
    request(1);
    if (called) {
      calls.await(PATIENCE_MILLIS);
      assertThat(calls.ready(0)).as("vring %d calls", index()).isTrue();
    }
    awaitAll();
    MemorySegment last = ram.at(buffers + 2L * BYTES * ((serial - 1) % queue.memory().size()), 128);
    assertThat(last.asSlice(BYTES).mismatch(last.asSlice(0, BYTES))).isEqualTo(-1);
  }

  private void awaitAll() {
    long end = System.nanoTime() + PATIENCE_MILLIS * 1_000_000L;
    while (queue.outstanding() > 0) {
      assertThat(System.nanoTime() - end).as("vring %d serves", index()).isNegative();
      take();
    }
  }

  /** Whatever was served. */
  void take() {
    while (queue.take() != DriverQueue.NONE) {
      Thread.onSpinWait();
    }
  }

  /** Stops it; what was taken has been served by then, and everything else has not. */
  void stop(FrontEnd frontEnd) {
    int base = frontEnd.getVringBase(index());
    started = false;
    take();
    if (configured) {
      assertThat(base).as("vring %d goes on", index()).isEqualTo(queue.usedBase());
    }
  }

  @Override
  public void close() {
    queue.close();
  }
}
