package hawser.vhost.frontend;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.base.Ranges;
import hawser.sys.EventFd;
import hawser.vhost.message.BackEndMessage;
import hawser.vhost.message.Descriptors;
import hawser.vhost.message.FrontEndMessage.SetVringAddr;
import hawser.vhost.message.IotlbEntry;
import hawser.vhost.message.MemoryRegion;
import hawser.vhost.message.ProtocolFeature;
import hawser.vhost.message.VirtioFeature;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * Drives a device of any kind through its life, in the order in which QEMU does: agree, share
 * memory, start rings, log dirty pages, stop, go on, and start again at a back-end that comes after
 * one that died. Belongs to one thread; each queue may have its own.
 */
public final class Driver implements AutoCloseable {
  private final GuestRam ram;
  private final DriverPlan plan;
  private FrontEnd frontEnd;
  private final List<DriverQueue> queues = new CopyOnWriteArrayList<>();
  private final int[] bases;
  private long features;
  private long protocol;
  private @Nullable InflightRecord inflight;
  private @Nullable DirtyPages dirty;
  private @Nullable LatePages late;
  private boolean running;

  private Driver(FrontEnd frontEnd, GuestRam ram, DriverPlan plan) {
    this.frontEnd = frontEnd;
    this.ram = ram;
    this.plan = plan;
    this.bases = new int[plan.queues()];
  }

  /**
   * Takes over a connection and starts the device with memory that stays the caller's.
   *
   * @throws PeerFault when the back-end refuses something or has fewer queues
   */
  public static Driver start(FrontEnd frontEnd, GuestRam ram, DriverPlan plan) {
    Driver driver = agree(frontEnd, ram, plan);
    driver.makeQueues();
    driver.resume();
    return driver;
  }

  /** As {@link #start}, but only until features are agreed; {@link #resume} does the rest. */
  public static Driver agree(FrontEnd frontEnd, GuestRam ram, DriverPlan plan) {
    var driver = new Driver(frontEnd, ram, plan);
    driver.negotiate();
    return driver;
  }

  private void negotiate() {
    long offered = frontEnd.getFeatures();
    features = offered & plan.features();
    if ((offered & VirtioFeature.PROTOCOL_FEATURES) != 0) {
      features |= VirtioFeature.PROTOCOL_FEATURES;
      protocol = frontEnd.getProtocolFeatures() & plan.protocol();
      frontEnd.setProtocolFeatures(protocol);
    }
    frontEnd.setOwner();
    long most = has(ProtocolFeature.MQ) ? frontEnd.getQueueNum() : plan.queues();
    if (most < plan.queues()) {
      throw new PeerFault("GET_QUEUE_NUM: %d, not %d".formatted(most, plan.queues()));
    }
    if (has(ProtocolFeature.BACKEND_REQ)) {
      frontEnd.setBackendReqFd(this::hear);
    }
  }

  /**
   * A call in band wakes the driver as its eventfd would, and a missing translation is given;
   * everything goes to the plan's owner too.
   */
  private BackEndListener.Answer hear(BackEndMessage message, Descriptors descriptors) {
    if (message instanceof BackEndMessage.VringCall(int vring)
        && vring >= 0
        && vring < queues.size()) {
      EventFd.signal(queues.get(vring).callDescriptor());
    }
    if (message instanceof BackEndMessage.IotlbMsg(IotlbEntry entry)
        && entry.type() == IotlbEntry.Type.MISS) {
      translate(entry);
    }
    return plan.listener().answer(message, descriptors);
  }

  private boolean has(ProtocolFeature feature) {
    return feature.in(protocol);
  }

  private void makeQueues() {
    for (int i = 0; i < plan.queues(); i++) {
      DriverQueue queue =
          DriverQueue.create(i, ram, plan.queueSize(), features, plan.indirectEntries());
      queues.add(queue);
      bases[i] = queue.usedBase();
    }
  }

  /** The agreed virtio features. */
  public long features() {
    return features;
  }

  /** The agreed protocol features. */
  public long protocol() {
    return protocol;
  }

  /** The connection, for requests that this class does not make. */
  public FrontEnd frontEnd() {
    return frontEnd;
  }

  /** The guest's memory. */
  public GuestRam ram() {
    return ram;
  }

  /** A queue. */
  public DriverQueue queue(int index) {
    return queues.get(index);
  }

  /** Shares memory and starts every ring where it stopped. */
  public void resume() {
    if (queues.isEmpty()) {
      makeQueues();
    }
    if (has(ProtocolFeature.STATUS)) {
      frontEnd.setStatus(VirtioStatus.ACKNOWLEDGE | VirtioStatus.DRIVER);
    }
    frontEnd.setFeatures(features | logging());
    if (has(ProtocolFeature.STATUS)) {
      frontEnd.setStatus(VirtioStatus.ACKNOWLEDGE | VirtioStatus.DRIVER | VirtioStatus.FEATURES_OK);
    }
    shareInflight();
    shareMemory();
    if (dirty != null) {
      shareLog(dirty);
    }
    queues.forEach(this::startRing);
    running = true;
    if ((features & VirtioFeature.PROTOCOL_FEATURES) != 0) {
      queues.forEach(queue -> frontEnd.setVringEnable(queue.index(), true));
    }
    if (has(ProtocolFeature.STATUS)) {
      frontEnd.setStatus(
          VirtioStatus.ACKNOWLEDGE
              | VirtioStatus.DRIVER
              | VirtioStatus.FEATURES_OK
              | VirtioStatus.DRIVER_OK);
    }
  }

  private void shareInflight() {
    if (!has(ProtocolFeature.INFLIGHT_SHMFD)) {
      return;
    }
    if (inflight == null) {
      inflight = frontEnd.getInflightFd(queues.size(), plan.queueSize());
    }
    frontEnd.setInflightFd(inflight);
  }

  private void shareMemory() {
    boolean slots = has(ProtocolFeature.CONFIGURE_MEM_SLOTS);
    var regions = new ArrayList<MemoryRegion>();
    int[] descriptors = new int[ram.count()];
    for (int i = 0; i < ram.count(); i++) {
      regions.add(region(i));
      descriptors[i] = ram.descriptor(i);
    }
    if (late != null) {
      late.share(frontEnd, slots, regions, descriptors);
    } else if (slots) {
      for (int i = 0; i < ram.count(); i++) {
        frontEnd.addMemReg(regions.get(i), descriptors[i]);
      }
    } else {
      frontEnd.setMemTable(regions, descriptors);
    }
  }

  /**
   * Begins postcopy: pages of the memory that {@link #resume} shares are brought by {@code source}
   * when the device comes to them, until {@link #endPostcopy}. No memory may be shared yet.
   */
  public void beginPostcopy(LatePages.Source source) {
    if (!has(ProtocolFeature.PAGEFAULT)) {
      throw new PeerFault("PAGEFAULT is not agreed");
    }
    late = LatePages.of(frontEnd.postcopyAdvise(), source);
    frontEnd.postcopyListen();
  }

  /** All pages are in the guest's memory. */
  public void endPostcopy() {
    LatePages pages = Objects.requireNonNull(late, "no postcopy");
    long answer = frontEnd.postcopyEnd();
    if (answer != 0) {
      throw new PeerFault("POSTCOPY_END: the back-end answers %d, not 0".formatted(answer));
    }
    late = null;
    pages.close();
    PeerFault fault = pages.fault();
    if (fault != null) {
      throw fault;
    }
  }

  private void startRing(DriverQueue queue) {
    int vring = queue.index();
    frontEnd.setVringNum(vring, queue.memory().size());
    frontEnd.setVringBase(vring, bases[vring]);
    frontEnd.setVringAddr(addresses(queue));
    if (has(ProtocolFeature.INBAND_NOTIFICATIONS)) {
      queue.kickBy(() -> frontEnd.vringKick(vring));
      frontEnd.vringKick(vring);
    } else {
      frontEnd.setVringCall(vring, queue.callDescriptor());
      frontEnd.setVringKick(vring, queue.kickDescriptor());
    }
  }

  private SetVringAddr addresses(DriverQueue queue) {
    RingMemory memory = queue.memory();
    return new SetVringAddr(
        queue.index(),
        dirty == null ? 0 : SetVringAddr.LOG_USED,
        address(memory.descriptors()),
        address(memory.used()),
        address(memory.available()),
        // In a packed ring the device writes into the descriptors.
        ((features & VirtioFeature.RING_PACKED) != 0 ? memory.descriptors() : memory.used())
            + (translated() ? DriverQueue.IOVA_OFFSET : 0));
  }

  private boolean translated() {
    return (features & VirtioFeature.ACCESS_PLATFORM) != 0;
  }

  private long address(long guestAddress) {
    return translated() ? guestAddress + DriverQueue.IOVA_OFFSET : user(guestAddress);
  }

  /** A guest address as it is said to the back-end: as it is, or as this process has it. */
  private long user(long guestAddress) {
    return has(ProtocolFeature.GPA_ADDRESSES) ? guestAddress : ram.host(guestAddress, 1);
  }

  private MemoryRegion region(int index) {
    MemoryRegion region = ram.region(index);
    return new MemoryRegion(
        region.guestAddress(), region.size(), user(region.guestAddress()), region.mmapOffset());
  }

  /** Gives the page that a device behind an IOMMU misses, if there is one. */
  private void translate(IotlbEntry miss) {
    long page = Ranges.alignDown(miss.iova() - DriverQueue.IOVA_OFFSET, GuestRam.PAGE_BYTES);
    if (translated() && ram.has(page)) {
      frontEnd.iotlb(
          new IotlbEntry(
              page + DriverQueue.IOVA_OFFSET,
              GuestRam.PAGE_BYTES,
              user(page),
              IotlbEntry.READ | IotlbEntry.WRITE,
              IotlbEntry.Type.UPDATE));
    }
  }

  /** Takes translations of a guest range back; the device asks again when it comes there. */
  public void invalidate(long guestAddress, long bytes) {
    frontEnd.iotlb(
        new IotlbEntry(
            guestAddress + DriverQueue.IOVA_OFFSET, bytes, 0, 0, IotlbEntry.Type.INVALIDATE));
  }

  private long logging() {
    return dirty == null ? 0 : VirtioFeature.LOG_ALL;
  }

  /**
   * Makes the device mark what it writes from now on, used rings included. The log is this driver's
   * until {@link #stopLog}.
   */
  public DirtyPages startLog() throws BlockFault {
    if (!has(ProtocolFeature.LOG_SHMFD)) {
      throw new PeerFault("LOG_SHMFD is not agreed");
    }
    DirtyPages log = new DirtyPages(ram.end());
    dirty = log;
    shareLog(log);
    frontEnd.setFeatures(features | VirtioFeature.LOG_ALL);
    queues.forEach(queue -> frontEnd.setVringAddr(addresses(queue)));
    return log;
  }

  private void shareLog(DirtyPages log) {
    frontEnd.setLogBase(log.bytes(), 0, log.descriptor());
  }

  /** Takes LOG_ALL back; the log stays to be looked at until {@link #stopLog}. */
  public void pauseLog() {
    frontEnd.setFeatures(features);
  }

  /** Ends logging; a device that is stopped learns of it when it goes on, as from QEMU. */
  public void stopLog() {
    DirtyPages log = Objects.requireNonNull(dirty, "not logging");
    dirty = null;
    if (running) {
      frontEnd.setFeatures(features);
      queues.forEach(queue -> frontEnd.setVringAddr(addresses(queue)));
    }
    log.close();
  }

  /** Stops every ring, as a guest does that pauses; {@link #resume} goes on. */
  public void stop() {
    running = false;
    for (DriverQueue queue : queues) {
      if ((features & VirtioFeature.PROTOCOL_FEATURES) != 0) {
        frontEnd.setVringEnable(queue.index(), false);
      }
    }
    for (DriverQueue queue : queues) {
      bases[queue.index()] = frontEnd.getVringBase(queue.index());
    }
    if (has(ProtocolFeature.STATUS)) {
      frontEnd.setStatus(0);
    }
    unshareMemory();
  }

  private void unshareMemory() {
    if (has(ProtocolFeature.CONFIGURE_MEM_SLOTS)) {
      for (int i = 0; i < ram.count(); i++) {
        frontEnd.remMemReg(region(i));
      }
    }
  }

  /** Starts all rings from nothing, as a guest does after a reset. They must be stopped. */
  public void restart() {
    for (DriverQueue queue : queues) {
      queue.reset();
      bases[queue.index()] = queue.usedBase();
    }
    resume();
  }

  /**
   * Goes on at the successor of a back-end that is gone, with the rings as they are and the record
   * of requests under way. Without such a record every request that was not used is served again.
   */
  public void reconnect(FrontEnd successor) {
    frontEnd.close();
    frontEnd = successor;
    long before = features;
    negotiate();
    if (features != before) {
      throw new PeerFault("features are %#x, and were %#x".formatted(features, before));
    }
    for (DriverQueue queue : queues) {
      bases[queue.index()] = queue.usedBase();
    }
    resume();
  }

  /**
   * Goes on at a back-end that has been given the state of the present one, after {@link #stop}, as
   * a guest does that was migrated. If that one does not accept it, everything stays as it was, and
   * {@link #resume} goes on at the present one.
   *
   * @throws PeerFault when the back-end refuses the state or lacks a feature
   */
  public void moveTo(FrontEnd destination, byte[] state) throws BlockFault {
    moveTo(destination(destination), state);
  }

  /** Agrees with a back-end to which this driver may move; while the guest still runs, as QEMU. */
  public Driver destination(FrontEnd destination) {
    boolean agreed = false;
    try {
      Driver there = agree(destination, ram, plan);
      agreed = true;
      return there;
    } finally {
      if (!agreed) {
        destination.close();
      }
    }
  }

  /** The same to a back-end from {@link #destination}. */
  public void moveTo(Driver destination, byte[] state) throws BlockFault {
    boolean moved = false;
    try {
      if (destination.features != features) {
        throw new PeerFault(
            "features are %#x, and were %#x".formatted(destination.features, features));
      }
      StateTransfer.load(destination.frontEnd, state);
      moved = true;
    } finally {
      if (!moved) {
        destination.close();
      }
    }
    frontEnd.close();
    frontEnd = destination.frontEnd;
    protocol = destination.protocol;
    if (dirty != null) {
      dirty.close();
      dirty = null;
    }
    if (inflight != null) {
      inflight.close();
      inflight = null;
    }
    resume();
  }

  @Override
  public void close() {
    frontEnd.close();
    queues.forEach(DriverQueue::close);
    if (inflight != null) {
      inflight.close();
    }
    if (dirty != null) {
      dirty.close();
    }
    if (late != null) {
      late.close();
    }
  }
}
