package hawser.vhost.ring;

import hawser.base.PeerFault;
import hawser.vhost.memory.Iotlb;
import hawser.vhost.memory.MemoryTable;
import hawser.vhost.message.VirtioFeature;
import java.lang.invoke.VarHandle;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** The split layout (virtio, "Split Virtqueues"). */
public final class SplitRing implements DeviceRing {
  private static final int NO_INTERRUPT = 1;
  private static final int NO_NOTIFY = 1;

  private final RingLayout at;
  private final int mask;
  private final boolean eventIndex;
  private final @Nullable SplitInflight inflight;
  private final Collector collector;
  private final @Nullable Chain[] chains;
  private final Completion completion;
  private final Queue<Integer> again = new ArrayDeque<>();
  private int nextAvailable;
  private int available;
  private int used;
  private int lastCall;
  private boolean lastCallKnown;

  /**
   * A ring that goes on at {@code base}.
   *
   * @param inflight the record of what is under way, or null; chains that a predecessor left in it
   *     are taken first
   */
  public SplitRing(
      RingLayout layout, int base, @Nullable SplitInflight inflight, Completion completion) {
    this.at = layout;
    this.mask = layout.size() - 1;
    this.eventIndex = layout.has(VirtioFeature.EVENT_IDX);
    this.inflight = inflight;
    this.collector = new Collector(layout.queue());
    this.chains = new Chain[layout.size()];
    this.completion = completion;
    this.used = Cells.acquire16(layout.used() + 2);
    this.nextAvailable = base & 0xffff;
    if (inflight != null) {
      again.addAll(inflight.recover(used));
      // A predecessor may have died between a write and its mark.
      at.markUsed(0, RingLayout.usedBytes(at.size()));
      nextAvailable = used + again.size() & 0xffff;
    }
    this.available = nextAvailable;
  }

  @Override
  public void use(MemoryTable memory) {
    collector.use(memory);
  }

  @Override
  public void use(Iotlb translations, BooleanSupplier stopWaiting) {
    collector.use(translations, stopWaiting);
  }

  @Override
  public @Nullable Chain take() {
    Integer left = again.poll();
    if (left != null) {
      return collect(left);
    }
    if (nextAvailable == available && !look()) {
      return null;
    }
    int head = Cells.u16(at.available() + 4 + 2L * (nextAvailable & mask));
    if (head >= at.size()) {
      throw collector.fault(head, "is not in the table of " + at.size());
    }
    Chain chain = collect(head);
    nextAvailable = nextAvailable + 1 & 0xffff;
    if (inflight != null) {
      inflight.taken(head);
    }
    return chain;
  }

  private boolean look() {
    available = Cells.acquire16(at.available() + 2);
    int ready = available - nextAvailable & 0xffff;
    if (ready > at.size()) {
      throw new PeerFault(
          "queue %d: available index is %d, %d ahead of %d in a ring of %d"
              .formatted(at.queue(), available, ready, nextAvailable, at.size()));
    }
    return ready > 0;
  }

  private Chain collect(int head) {
    Chain chain = chains[head];
    if (chain == null) {
      chain = new Chain(head, completion);
      chains[head] = chain;
    }
    if (chain.underWay) {
      throw collector.fault(head, "was made available again before it was used");
    }
    chain.clear();
    follow(chain, head);
    chain.id = head;
    chain.underWay = true;
    return chain;
  }

  private void follow(Chain chain, int head) {
    int index = head;
    for (int seen = 1; ; seen++) {
      if (seen > at.size()) {
        throw collector.fault(index, "is part of a loop");
      }
      long descriptor = at.descriptors() + (long) index * RingLayout.DESCRIPTOR_BYTES;
      long address = Cells.i64(descriptor);
      long length = Integer.toUnsignedLong(Cells.i32(descriptor + 8));
      int flags = Cells.u16(descriptor + 12);
      if ((flags & Collector.INDIRECT) != 0) {
        if ((flags & Collector.NEXT) != 0 || !at.has(VirtioFeature.INDIRECT_DESC)) {
          throw collector.fault(index, "flags %#x: may not be indirect".formatted(flags));
        }
        followTable(chain, index, address, collector.entries(index, length));
        return;
      }
      collector.add(chain, index, address, length, (flags & Collector.WRITE) != 0);
      if ((flags & Collector.NEXT) == 0) {
        return;
      }
      index = next(index, Cells.u16(descriptor + 14), at.size());
    }
  }

  private void followTable(Chain chain, int descriptor, long table, int entries) {
    int index = 0;
    for (int seen = 1; ; seen++) {
      if (seen > entries) {
        throw collector.fault(descriptor, "its table has a loop");
      }
      long entry = collector.entry(descriptor, table, index);
      long address = Cells.i64(entry);
      long length = Integer.toUnsignedLong(Cells.i32(entry + 8));
      int flags = Cells.u16(entry + 12);
      int next = Cells.u16(entry + 14);
      if ((flags & Collector.INDIRECT) != 0) {
        throw collector.fault(descriptor, "its table has an indirect descriptor");
      }
      collector.add(chain, descriptor, address, length, (flags & Collector.WRITE) != 0);
      if ((flags & Collector.NEXT) == 0) {
        return;
      }
      index = next(descriptor, next, entries);
    }
  }

  private int next(int descriptor, int next, int size) {
    if (next >= size) {
      throw collector.fault(descriptor, "next is %d, not below %d".formatted(next, size));
    }
    return next;
  }

  @Override
  public boolean hasLeft() {
    return !again.isEmpty();
  }

  @Override
  public void give(Chain chain, long written) {
    at.markWritten(chain);
    if (inflight != null) {
      inflight.giving(chain.slot);
    }
    long element = 4 + 8L * (used & mask);
    Cells.put32(at.used() + element, chain.id);
    Cells.put32(at.used() + element + 4, (int) written);
    chain.underWay = false;
    used = used + 1 & 0xffff;
    Cells.release16(at.used() + 2, used);
    at.markUsed(element, 8);
    at.markUsed(2, 2);
    if (inflight != null) {
      inflight.given(chain.slot, used);
    }
  }

  @Override
  public boolean wantsCall() {
    // The driver arms its event and then looks at the used index; we must do it the other way.
    VarHandle.fullFence();
    if (!eventIndex) {
      return (Cells.u16(at.available()) & NO_INTERRUPT) == 0;
    }
    int event = Cells.u16(at.available() + 4 + 2L * at.size());
    boolean wanted = !lastCallKnown || DeviceRing.passes(event, lastCall, used);
    lastCall = used;
    lastCallKnown = true;
    return wanted;
  }

  @Override
  public boolean enableKicks() {
    if (eventIndex) {
      long offset = 4 + 8L * at.size();
      Cells.put16(at.used() + offset, nextAvailable);
      at.markUsed(offset, 2);
    } else {
      Cells.put16(at.used(), 0);
      at.markUsed(0, 2);
    }
    VarHandle.fullFence();
    return hasLeft() || nextAvailable != available || look();
  }

  @Override
  public void disableKicks() {
    if (!eventIndex) {
      Cells.put16(at.used(), NO_NOTIFY);
      at.markUsed(0, 2);
    }
  }

  @Override
  public int base() {
    return nextAvailable;
  }
}
