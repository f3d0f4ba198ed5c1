package hawser.testkit.fuse;

import hawser.base.PeerFault;
import hawser.base.Wire;
import hawser.vhost.frontend.FrontEnd;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Reads or writes of one open file, so many under way at a time on one queue. What is written is
 * whatever the memory holds.
 */
class Transfers {
  /** Bytes of a READ's or a WRITE's head. */
  static final int HEAD_BYTES = 80;

  private static final int PATIENCE_MS = (int) FrontEnd.PATIENCE.toMillis();

  /** An open file. */
  record Target(long node, long handle, long bytes) {}

  /** Which way, and in which order. */
  record Kind(boolean writes, boolean random) {}

  final FuseRing ring;
  final Target target;
  final SplittableRandom dice = new SplittableRandom(7);
  private static final long UNIQUES_EACH = 1L << 40;
  private static final AtomicLong UNIQUES = new AtomicLong();

  private final Kind kind;
  private final int bytes;
  private final int depth;
  private long next;

  /** Every request of a guest's has a number of its own. */
  private long unique = UNIQUES.addAndGet(UNIQUES_EACH);

  Transfers(FuseRing ring, Target target, Kind kind, int bytes, int depth) {
    this.ring = ring;
    this.target = target;
    this.kind = kind;
    this.bytes = bytes;
    this.depth = depth;
  }

  /** Goes on for so long; answers how many requests were answered. */
  long run(long nanos) {
    long end = System.nanoTime() + nanos;
    long done = 0;
    for (int i = 0; i < depth; i++) {
      add(ring.claim());
    }
    ring.queue().submit();
    int underWay = depth;
    while (underWay > 0) {
      if (!ring.queue().await(PATIENCE_MS)) {
        throw new PeerFault("no answer");
      }
      boolean on = System.nanoTime() < end;
      for (int slot = ring.take(); slot != FuseRing.NONE; slot = ring.take()) {
        check(slot);
        done++;
        if (on) {
          add(slot);
        } else {
          ring.release(slot);
          underWay--;
        }
      }
      ring.queue().submit();
    }
    return done;
  }

  private void check(int slot) {
    int error = ring.answer(slot, FuseRing.ANSWER_HEADER_BYTES).get(Wire.LE32, 4);
    if (error != 0) {
      throw new PeerFault("answered with error %d".formatted(-error));
    }
  }

  /** Puts the next request into a slot. */
  void add(int slot) {
    long offset = kind.random ? dice.nextLong(target.bytes / bytes) * bytes : next;
    next = (next + bytes) % target.bytes;
    transfer(slot, kind.writes, offset, bytes);
  }

  final void transfer(int slot, boolean writes, long offset, int size) {
    int length = HEAD_BYTES + (writes ? size : 0);
    MemorySegment request = header(slot, writes ? Opcode.WRITE : Opcode.READ, target.node, length);
    request.set(Wire.LE64, 40, target.handle);
    request.set(Wire.LE64, 48, offset);
    request.set(Wire.LE32, 56, size);
    request.asSlice(60, 20).fill((byte) 0);
    send(slot, length, writes ? 8 : size);
  }

  final MemorySegment header(int slot, int opcode, long node, int length) {
    MemorySegment request = ring.request(slot, Math.min(length, HEAD_BYTES), length);
    request.set(Wire.LE32, 0, length);
    request.set(Wire.LE32, 4, opcode);
    request.set(Wire.LE64, 8, unique += 2);
    request.set(Wire.LE64, 16, node);
    request.set(Wire.LE64, 24, 0);
    request.set(Wire.LE64, 32, 1);
    return request;
  }

  final void send(int slot, int length, int room) {
    if (!ring.add(slot, length, FuseRing.ANSWER_HEADER_BYTES + room)) {
      throw new IllegalStateException("the ring has no room");
    }
  }
}
