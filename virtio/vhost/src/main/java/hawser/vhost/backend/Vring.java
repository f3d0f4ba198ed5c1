package hawser.vhost.backend;

import hawser.base.PeerFault;
import hawser.vhost.memory.DirtyLog;
import hawser.vhost.memory.Iotlb;
import hawser.vhost.memory.MemoryTable;
import hawser.vhost.message.FrontEndMessage.SetVringAddr;
import hawser.vhost.message.IotlbEntry;
import hawser.vhost.message.VirtioFeature;
import hawser.vhost.ring.DeviceRing;
import hawser.vhost.ring.PackedInflight;
import hawser.vhost.ring.PackedRing;
import hawser.vhost.ring.RingLayout;
import hawser.vhost.ring.SplitInflight;
import hawser.vhost.ring.SplitRing;
import org.jspecify.annotations.Nullable;

/**
 * What the front-end has said of one vring, and its state: started or stopped, enabled or disabled
 * (vhost-user, "Ring states"). It works while it is both started and enabled; everything else is
 * changed while it does not. Belongs to the connection's thread.
 */
final class Vring {
  private final int index;
  private final Device device;
  private final BackEndOptions options;
  private final VringDescriptors descriptors;
  private @Nullable QueueWorker worker;
  private @Nullable DeviceRing ring;
  private @Nullable SetVringAddr addresses;
  private int size;
  private int base;
  private boolean recorded;
  private boolean started;
  private boolean enabled;

  /** It has worked since it was started: what is left then is what broke it. */
  private boolean begun;

  Vring(int index, Device device, BackEndOptions options) {
    this.index = index;
    this.descriptors = new VringDescriptors(index);
    this.device = device;
    this.options = options;
  }

  /** What all vrings of a session share. */
  record Surroundings(
      long features,
      boolean guestAddresses,
      MemoryTable memory,
      @Nullable Iotlb iotlb,
      @Nullable DirtyLog log,
      @Nullable Inflight inflight) {
    boolean packed() {
      return (features & VirtioFeature.RING_PACKED) != 0;
    }
  }

  void setSize(int newSize, Surroundings around) {
    boolean split = !around.packed();
    if (newSize < 1 || newSize > RingLayout.SIZE_MAX || (split && Integer.bitCount(newSize) != 1)) {
      throw new PeerFault(
          "SET_VRING_NUM: vring %d: %d is not 1 to %d%s"
              .formatted(index, newSize, RingLayout.SIZE_MAX, split ? " and a power of two" : ""));
    }
    size = newSize;
  }

  void setBase(int newBase) {
    base = newBase;
  }

  void setAddresses(SetVringAddr newAddresses) {
    addresses = newAddresses;
  }

  VringDescriptors descriptors() {
    return descriptors;
  }

  /** The vring is started: it works as soon as it is enabled too. */
  void start() {
    started = true;
  }

  /** Whether the vring is started, enabled or not. */
  boolean started() {
    return started;
  }

  void setEnabled(boolean newEnabled) {
    enabled = newEnabled;
  }

  /** The front-end kicks by a message. */
  void kick() {
    if (worker != null) {
      worker.nudge();
    }
  }

  /** Lets the vring work, if that is its state. */
  void resume(Surroundings around) {
    if (started && enabled && ring == null) {
      begin(around, false);
    }
  }

  /**
   * What a predecessor left in its record is finished, and where to go on found there, also by a
   * vring that is to stop and has not worked yet.
   */
  void finishLeft(Surroundings around) {
    Inflight inflight = around.inflight();
    if (started && !begun && inflight != null && inflight.begun(index, size, around.packed())) {
      begin(around, true);
    }
  }

  private void begin(Surroundings around, boolean onlyLeft) {
    SetVringAddr at = addresses;
    if (at == null || size == 0) {
      // No fault: size and addresses may come yet, and are changes of their own.
      options.log().accept("vring %d is started without size and addresses".formatted(index));
      return;
    }
    if (!translated(at, around)) {
      // The front-end has been asked, and with what it says there comes another try.
      return;
    }
    if (worker == null) {
      worker = new QueueWorker(device.name(), index, options);
    }
    RingLayout layout = layout(at, around);
    Inflight inflight = around.inflight();
    long record = inflight == null ? 0 : inflight.record(index, size, around.packed());
    recorded = record != 0;
    DeviceRing newRing = around.packed() ? packed(layout, record) : split(layout, record);
    newRing.use(around.memory());
    if (around.iotlb() != null) {
      newRing.use(around.iotlb(), worker::stopAsked);
    }
    QueueHandler handler = device.open(index);
    ring = newRing;
    begun = true;
    worker.start(
        new QueueWorker.Work(
            newRing,
            handler,
            descriptors,
            around.packed() && recorded,
            layout.inOrder() ? new Order() : null),
        onlyLeft);
    if (recorded) {
      // A predecessor may have died after it gave a chain back and before it called: the driver
      // would wait for ever.
      descriptors.call();
    }
  }

  /** Whether all parts of the ring are where this process can find them. */
  private boolean translated(SetVringAddr at, Surroundings around) {
    Iotlb iotlb = around.iotlb();
    if (iotlb == null) {
      return true;
    }
    boolean packed = around.packed();
    int table = packed ? IotlbEntry.READ | IotlbEntry.WRITE : IotlbEntry.READ;
    long descriptors = iotlb.ofRing(at.descriptors(), RingLayout.descriptorBytes(size), table);
    long available = iotlb.ofRing(at.available(), availableBytes(packed), IotlbEntry.READ);
    long used = iotlb.ofRing(at.used(), usedBytes(packed), IotlbEntry.WRITE);
    return descriptors != 0 && available != 0 && used != 0;
  }

  private long availableBytes(boolean packed) {
    return packed ? RingLayout.SUPPRESSION_BYTES : RingLayout.availableBytes(size);
  }

  private long usedBytes(boolean packed) {
    return packed ? RingLayout.SUPPRESSION_BYTES : RingLayout.usedBytes(size);
  }

  /** The front-end takes translations back; a ring that lies there must find its place anew. */
  void pauseIfInvalid(IotlbEntry range, boolean packed) {
    SetVringAddr at = addresses;
    if (at != null
        && (range.overlaps(at.descriptors(), RingLayout.descriptorBytes(size))
            || range.overlaps(at.available(), availableBytes(packed))
            || range.overlaps(at.used(), usedBytes(packed)))) {
      pause();
    }
  }

  private SplitRing split(RingLayout layout, long record) {
    var inflight = record == 0 ? null : new SplitInflight(record, size, options.crashPoint());
    return new SplitRing(layout, base, inflight, completion());
  }

  private PackedRing packed(RingLayout layout, long record) {
    var inflight = record == 0 ? null : new PackedInflight(record, size, options.crashPoint());
    return new PackedRing(layout, base, inflight, completion());
  }

  private QueueWorker completion() {
    if (worker == null) {
      throw new AssertionError("vring %d has no worker".formatted(index));
    }
    return worker;
  }

  private RingLayout layout(SetVringAddr at, Surroundings around) {
    boolean packed = around.packed();
    boolean logged = (at.flags() & SetVringAddr.LOG_USED) != 0;
    return new RingLayout(
        index,
        size,
        find(around, "descriptor table", at.descriptors(), RingLayout.descriptorBytes(size), 16),
        find(around, "available ring", at.available(), availableBytes(packed), packed ? 4 : 2),
        find(around, "used ring", at.used(), usedBytes(packed), 4),
        around.features(),
        around.log(),
        !logged
            ? RingLayout.NOT_LOGGED
            : packed
                ? guestAddress(around, at.descriptors())
                : around.iotlb() == null ? at.log() : guestAddress(around, at.used()),
        logged && packed ? guestAddress(around, at.used()) : RingLayout.NOT_LOGGED);
  }

  /**
   * Where the guest sees what it has at an address of the front-end. With a packed ring the device
   * writes in two places, of which QEMU's {@code log} address is the second only.
   */
  private static long guestAddress(Surroundings around, long address) {
    Iotlb iotlb = around.iotlb();
    if (iotlb != null) {
      return iotlb.guestAddress(address);
    }
    return around.guestAddresses() ? address : around.memory().guestAddress(address);
  }

  private long find(Surroundings around, String what, long address, long bytes, int alignment) {
    Iotlb iotlb = around.iotlb();
    long found =
        iotlb != null
            ? iotlb.ofRing(address, bytes, 0)
            : around.guestAddresses()
                ? around.memory().ofGuestAddress(address, bytes)
                : around.memory().ofUserAddress(address, bytes);
    if (found == 0 || found % alignment != 0) {
      throw new PeerFault(
          "vring %d: %s of %d bytes at %#x is %s"
              .formatted(
                  index,
                  what,
                  bytes,
                  address,
                  found == 0 ? "not in one memory region" : "not aligned to " + alignment));
    }
    around.memory().await(found, bytes);
    return found;
  }

  /** Lets the vring work no more, until {@link #resume}; what is under way is finished first. */
  void pause() {
    pause(false);
  }

  /**
   * As {@link #pause()}.
   *
   * @param suspend whether what was not begun may stay in the record of requests under way, if
   *     there is one
   */
  void pause(boolean suspend) {
    if (ring != null && worker != null) {
      worker.stop(suspend && recorded);
      base = ring.base();
      ring = null;
    }
  }

  /** Stops the vring; answers where to go on (GET_VRING_BASE). As {@link #pause(boolean)}. */
  int stop(boolean suspend) {
    pause(suspend);
    started = false;
    begun = false;
    return base;
  }

  /** Nothing said, stopped and disabled. Whom to call stays: QEMU says that only once. */
  void reset() {
    stop(false);
    enabled = false;
    base = 0;
    size = 0;
    addresses = null;
    descriptors.forgetKick();
  }

  /** Gives everything back. */
  void end() {
    reset();
    descriptors.close();
    if (worker != null) {
      worker.end();
      worker = null;
    }
  }
}
