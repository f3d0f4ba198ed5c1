package hawser.vhost.ring;

import hawser.vhost.memory.Iotlb;
import hawser.vhost.memory.MemoryTable;
import hawser.vhost.message.VirtioFeature;
import java.lang.invoke.VarHandle;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** The packed layout (virtio, "Packed Virtqueues"). */
public final class PackedRing implements DeviceRing {
  private static final int AVAILABLE = 1 << 7;
  private static final int USED = 1 << 15;
  private static final int EVENTS_ENABLE = 0;
  private static final int EVENTS_DISABLE = 1;
  private static final int EVENTS_AT = 2;
  private static final int WRAP_BIT = 15;

  private final RingLayout at;
  private final boolean eventIndex;
  private final @Nullable PackedInflight inflight;
  private final Collector collector;
  private final ChainPool pool;
  private int available;
  private boolean availableWrap;
  private int used;
  private boolean usedWrap;
  private int lastCall;
  private boolean lastCallKnown;
  private int again;

  /**
   * A ring that goes on at {@code base}: bits 0 to 15 are the available index and wrap counter, 16
   * to 31 the used ones.
   *
   * @param inflight the record of what is under way, or null; chains that a predecessor left in it
   *     are taken first
   */
  public PackedRing(
      RingLayout layout, int base, @Nullable PackedInflight inflight, Completion completion) {
    this.at = layout;
    this.eventIndex = layout.has(VirtioFeature.EVENT_IDX);
    this.inflight = inflight;
    this.collector = new Collector(layout.queue());
    this.pool = new ChainPool(layout.size(), completion);
    this.available = place(base);
    this.availableWrap = wrap(base);
    this.used = place(base >>> 16);
    this.usedWrap = wrap(base >>> 16);
    if (inflight != null && inflight.recover(layout, used, usedWrap)) {
      // A predecessor may have died between a write and its mark.
      at.markUsed(0, RingLayout.descriptorBytes(layout.size()));
      at.markEvents();
      used = inflight.used();
      usedWrap = inflight.usedWrap();
      int ahead = used + inflight.placesUnderWay();
      available = ahead % layout.size();
      availableWrap = usedWrap ^ ahead >= layout.size();
    }
  }

  private int place(int half) {
    int place = half & 0x7fff;
    if (place >= at.size()) {
      throw collector.fault(place, "base is outside a ring of " + at.size());
    }
    return place;
  }

  private static boolean wrap(int half) {
    return (half >>> WRAP_BIT & 1) != 0;
  }

  @Override
  public void use(MemoryTable memory) {
    collector.use(memory);
  }

  @Override
  public void use(Iotlb translations, BooleanSupplier stopWaiting) {
    collector.use(translations, stopWaiting);
  }

  /** Whether a descriptor with these flags is the driver's, in the round of that wrap counter. */
  static boolean isAvailable(int flags, boolean wrap) {
    return (flags & (AVAILABLE | USED)) == (wrap ? AVAILABLE : USED);
  }

  private long descriptor(int place) {
    return at.descriptors() + (long) place * RingLayout.DESCRIPTOR_BYTES;
  }

  private boolean ready() {
    return isAvailable(Cells.acquire16(descriptor(available) + 14), availableWrap);
  }

  @Override
  public @Nullable Chain take() {
    if (inflight != null && hasLeft()) {
      return takeAgain(inflight, again++);
    }
    if (!ready()) {
      return null;
    }
    Chain chain = pool.take();
    if (chain == null) {
      throw collector.fault(available, "more chains are under way than the ring has places");
    }
    chain.clear();
    follow(chain);
    chain.underWay = true;
    return chain;
  }

  private void follow(Chain chain) {
    int head = available;
    int place = head;
    chain.record = inflight == null ? 0 : inflight.begin();
    for (int seen = 1; ; seen++) {
      if (seen > at.size()) {
        throw collector.fault(place, "is part of a chain longer than the ring");
      }
      long descriptor = descriptor(place);
      long address = Cells.i64(descriptor);
      int length = Cells.i32(descriptor + 8);
      int id = Cells.u16(descriptor + 12);
      int flags = Cells.u16(descriptor + 14);
      add(chain, place, address, Integer.toUnsignedLong(length), flags, seen);
      if (inflight != null) {
        inflight.add(address, length, id, flags);
      }
      place = place + 1 == at.size() ? 0 : place + 1;
      if ((flags & Collector.NEXT) == 0) {
        chain.id = id;
        chain.places = seen;
        break;
      }
    }
    if (place <= head) {
      availableWrap = !availableWrap;
    }
    available = place;
    if (inflight != null) {
      inflight.taken();
    }
  }

  private void add(Chain chain, int place, long address, long length, int flags, int seen) {
    if ((flags & Collector.INDIRECT) == 0) {
      collector.add(chain, place, address, length, (flags & Collector.WRITE) != 0);
      return;
    }
    if ((flags & Collector.NEXT) != 0 || seen > 1 || !at.has(VirtioFeature.INDIRECT_DESC)) {
      throw collector.fault(place, "flags %#x: may not be indirect".formatted(flags));
    }
    int entries = collector.entries(place, length);
    for (int i = 0; i < entries; i++) {
      long entry = collector.entry(place, address, i);
      long from = Cells.i64(entry);
      long bytes = Integer.toUnsignedLong(Cells.i32(entry + 8));
      boolean writable = (Cells.u16(entry + 14) & Collector.WRITE) != 0;
      collector.add(chain, place, from, bytes, writable);
    }
  }

  private Chain takeAgain(PackedInflight record, int which) {
    Chain chain = pool.take();
    if (chain == null) {
      throw collector.fault(which, "more chains are left than the ring has places");
    }
    chain.clear();
    int entry = record.left(which);
    chain.record = entry;
    chain.places = record.places(entry);
    for (int seen = 1; seen <= chain.places; seen++) {
      long bytes = Integer.toUnsignedLong(record.length(entry));
      add(chain, entry, record.address(entry), bytes, record.flags(entry), seen);
      chain.id = record.id(entry);
      entry = record.next(entry);
    }
    chain.underWay = true;
    return chain;
  }

  @Override
  public boolean hasLeft() {
    return inflight != null && again < inflight.leftCount();
  }

  @Override
  public void give(Chain chain, long written) {
    at.markWritten(chain);
    chain.underWay = false;
    long descriptor = descriptor(used);
    Cells.put16(descriptor + 12, chain.id);
    Cells.put32(descriptor + 8, (int) written);
    int flags = (usedWrap ? AVAILABLE | USED : 0) | (written > 0 ? Collector.WRITE : 0);
    int offset = used * RingLayout.DESCRIPTOR_BYTES;
    used += chain.places;
    if (used >= at.size()) {
      used -= at.size();
      usedWrap = !usedWrap;
      lastCallKnown = false;
    }
    if (inflight != null) {
      inflight.giving(chain.record, used, usedWrap);
    }
    Cells.release16(descriptor + 14, flags);
    at.markUsed(offset, RingLayout.DESCRIPTOR_BYTES);
    if (inflight != null) {
      inflight.given(chain.record);
    }
    pool.give(chain);
  }

  @Override
  public boolean wantsCall() {
    VarHandle.fullFence();
    int flags = Cells.u16(at.available() + 2) & 3;
    if (flags != EVENTS_AT || !eventIndex) {
      return flags != EVENTS_DISABLE;
    }
    int event = Cells.u16(at.available());
    int place = event & 0x7fff;
    if (wrap(event) != usedWrap) {
      place -= at.size();
    }
    boolean wanted = !lastCallKnown || DeviceRing.passes(place, lastCall, used);
    lastCall = used;
    lastCallKnown = true;
    return wanted;
  }

  @Override
  public boolean enableKicks() {
    if (eventIndex) {
      Cells.put16(at.used(), available | (availableWrap ? 1 << WRAP_BIT : 0));
      VarHandle.releaseFence();
      Cells.put16(at.used() + 2, EVENTS_AT);
    } else {
      Cells.put16(at.used() + 2, EVENTS_ENABLE);
    }
    at.markEvents();
    VarHandle.fullFence();
    return hasLeft() || ready();
  }

  @Override
  public void disableKicks() {
    Cells.put16(at.used() + 2, EVENTS_DISABLE);
    at.markEvents();
  }

  @Override
  public int base() {
    int low = available | (availableWrap ? 1 << WRAP_BIT : 0);
    int high = used | (usedWrap ? 1 << WRAP_BIT : 0);
    return low | high << 16;
  }
}
