package hawser.vhost.backend;

import hawser.base.PeerFault;
import hawser.vhost.connection.Received;
import hawser.vhost.connection.VhostSocket;
import hawser.vhost.memory.DirtyLog;
import hawser.vhost.memory.GuestMemory;
import hawser.vhost.memory.Iotlb;
import hawser.vhost.message.ConfigSpace;
import hawser.vhost.message.Descriptors;
import hawser.vhost.message.FrontEndCode;
import hawser.vhost.message.FrontEndCodec;
import hawser.vhost.message.FrontEndMessage.*;
import hawser.vhost.message.Header;
import hawser.vhost.message.InflightArea;
import hawser.vhost.message.IotlbEntry;
import hawser.vhost.message.MemoryRegion;
import hawser.vhost.message.ProtocolFeature;
import hawser.vhost.message.ReplyRule;
import hawser.vhost.message.StateDirection;
import hawser.vhost.message.VirtioFeature;
import hawser.vhost.message.VringDescriptor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One front-end's use of a device, from connection to disconnection. Everything happens on the
 * thread that calls {@link #run}, except the work of the queues.
 */
final class Session {
  private final Device device;
  private final BackEndOptions options;
  private final VhostSocket socket;
  private final long offered;
  private final long offeredProtocol;
  private final List<Vring> vrings = new ArrayList<>();
  private final GuestMemory memory = new GuestMemory();
  private final FrontEndHost host;
  private final Iotlb iotlb;
  private final Postcopy postcopy;
  private long features;
  private long protocol;
  private int status;
  private @Nullable DirtyLog log;
  private @Nullable Inflight inflight;
  private @Nullable StateTransfer transfer;

  Session(Device device, BackEndOptions options, VhostSocket socket) {
    this.device = device;
    this.options = options;
    this.socket = socket;
    this.offered = Features.virtio(device, options);
    this.offeredProtocol = Features.protocol(device, options);
    this.host = new FrontEndHost(device, options.log());
    this.iotlb = new Iotlb(host::missed);
    this.postcopy = new Postcopy(memory, socket.descriptor());
    for (int i = 0; i < device.queues(); i++) {
      vrings.add(new Vring(i, device, options));
    }
  }

  /** Serves the front-end until it leaves. */
  void run() {
    try {
      device.attach(host);
      while (true) {
        try (Received message = socket.receive()) {
          if (message == null) {
            return;
          }
          serve(message);
        }
      }
    } catch (PeerFault e) {
      options.log().accept(String.valueOf(e.getMessage()));
    } finally {
      end();
    }
  }

  private void end() {
    socket.shutdown();
    host.shutdown();
    postcopy.giveUp();
    vrings.forEach(Vring::end);
    device.attach(() -> {});
    if (transfer != null) {
      boolean _ = transfer.await();
    }
    host.close();
    memory.close();
    postcopy.close();
    if (log != null) {
      log.unmap();
    }
    if (inflight != null) {
      inflight.unmap();
    }
    socket.close();
  }

  private void serve(Received message) {
    Header header = message.header();
    boolean acknowledge = header.needsReply() && ProtocolFeature.REPLY_ACK.in(protocol);
    FrontEndCode code = FrontEndCode.of(header.request());
    if (code == null) {
      options.log().accept("request %d is not known".formatted(header.request()));
      answer(header, new Reply.Acknowledged(false), acknowledge);
      return;
    }
    code.check(header.size(), message.descriptors().count());
    try {
      answer(header, handle(FrontEndCodec.read(code, message.payload()), message), acknowledge);
    } catch (PeerFault e) {
      if (!acknowledge || code.reply == ReplyRule.ALWAYS) {
        throw e;
      }
      options.log().accept("%s refused: %s".formatted(code, e.getMessage()));
      answer(header, new Reply.Acknowledged(false), true);
    }
  }

  private void answer(Header request, Reply reply, boolean acknowledge) {
    switch (reply) {
      case Reply.Payload(ByteBuffer bytes, int fd) -> {
        if (fd == Descriptors.NONE) {
          socket.send(request.request(), Header.REPLY, bytes);
        } else {
          try (var _ = new Descriptors(fd)) {
            socket.send(request.request(), Header.REPLY, bytes, fd);
          }
        }
      }
      case Reply.Acknowledged(boolean done) -> {
        if (acknowledge) {
          socket.send(request.request(), Header.REPLY, VhostSocket.number(done ? 0 : 1));
        }
      }
    }
  }

  private Reply handle(hawser.vhost.message.FrontEndMessage message, Received received) {
    Descriptors fds = received.descriptors();
    return switch (message) {
      case GetFeatures() -> Reply.number(offered);
      case SetFeatures(long asked) -> setFeatures(asked);
      case SetOwner(), ResetOwner() -> Reply.DONE;
      case SetMemTable(var regions) -> setMemTable(regions, fds);
      case AddMemReg(var region) -> addMemReg(region, fds);
      case MemoryServed _ -> memoryServed();
      case RemMemReg(var region) -> changeMemory(() -> memory.remove(region));
      case GetMaxMemSlots() -> Reply.number(GuestMemory.SLOTS_MAX);
      case SetLogBase(long size, long offset) -> setLogBase(size, offset, fds);
      // A log descriptor would only be told of what the log itself shows.
      case SetLogFd() -> Reply.DONE;
      case SetVringNum(int i, int size) -> change(i, vring -> vring.setSize(size, around()));
      case SetVringAddr address -> change(address.vring(), v -> v.setAddresses(address));
      case SetVringBase(int i, int base) -> change(i, vring -> vring.setBase(base));
      case GetVringBase(int i) -> getVringBase(i);
      case SetVringKick(var which) -> setKick(which, fds);
      case SetVringCall(var which) -> {
        vring(which.vring()).descriptors().setCall(taken(which, fds));
        yield Reply.DONE;
      }
      case SetVringErr(var which) -> {
        vring(which.vring()).descriptors().setError(taken(which, fds));
        yield Reply.DONE;
      }
      case GetProtocolFeatures() -> Reply.number(offeredProtocol);
      case SetProtocolFeatures(long asked) -> {
        Features.checkProtocol(asked, offeredProtocol);
        protocol = asked;
        host.agreed(asked);
        boolean inBand = ProtocolFeature.INBAND_NOTIFICATIONS.in(asked);
        vrings.forEach(vring -> vring.descriptors().useMessages(inBand ? host::tell : null));
        yield Reply.DONE;
      }
      case GetQueueNum() -> Reply.number(vrings.size());
      case SetVringEnable(int i, boolean enabled) -> setEnabled(i, enabled);
      case SetBackendReqFd() -> setChannel(fds);
      case GetConfig(var range) -> getConfig(range);
      case SetConfig(var range) ->
          new Reply.Acknowledged(device.configure(range.offset(), range.content()));
      case GetInflightFd(var area) -> getInflight(area);
      case SetInflightFd(var area) -> setInflight(area, fds);
      case ResetDevice() -> reset();
      case SetStatus(int newStatus) -> setStatus(newStatus);
      case GetStatus() -> Reply.number(status);
      case SetDeviceStateFd state -> setDeviceState(state, fds);
      case CheckDeviceState() -> checkDeviceState();
      case VringKick(int i) -> kick(i);
      case IotlbMsg(var entry) -> translate(entry);
      case GetSharedObject(var uuid) -> getSharedObject(uuid);
      case GetShmemConfig() -> getShmemConfig();
      case PostcopyAdvise() -> advisePostcopy();
      case PostcopyListen() -> {
        postcopy.listen();
        yield Reply.DONE;
      }
      case PostcopyEnd() -> {
        postcopy.arrived();
        whilePaused(postcopy::end);
        yield Reply.number(0);
      }
      case SendRarp _,
          NetSetMtu _,
          SetVringEndian _,
          CreateCryptoSession _,
          CloseCryptoSession _,
          GpuSetSocket _ ->
          throw new PeerFault(
              "%s: its feature was not offered".formatted(FrontEndCodec.code(message)));
    };
  }

  private Vring vring(int index) {
    if (index < 0 || index >= vrings.size()) {
      throw new PeerFault(
          "vring %s: there are %d".formatted(Integer.toUnsignedString(index), vrings.size()));
    }
    return vrings.get(index);
  }

  private Vring.Surroundings around() {
    boolean logged = (features & VirtioFeature.LOG_ALL) != 0;
    return new Vring.Surroundings(
        features,
        ProtocolFeature.GPA_ADDRESSES.in(protocol),
        memory.table(),
        (features & VirtioFeature.ACCESS_PLATFORM) != 0 ? iotlb : null,
        logged ? log : null,
        inflight);
  }

  /** Changes what one vring works with, and lets it go on. */
  private Reply change(int index, Consumer<Vring> change) {
    Vring vring = vring(index);
    vring.pause();
    try {
      change.accept(vring);
    } finally {
      // What is refused changes nothing: the vring goes on as before.
      resume(vring);
    }
    return Reply.DONE;
  }

  /** Lets a vring go on, unless it must not come near guest memory yet. */
  private void resume(Vring vring) {
    if (!postcopy.unconfirmed()) {
      vring.resume(around());
    }
  }

  /** Whether the front-end takes the record of requests under way along when it stops a vring. */
  private boolean suspends() {
    return ProtocolFeature.GET_VRING_BASE_INFLIGHT.in(protocol);
  }

  /** QEMU disables a vring before it stops it, so requests are suspended here already. */
  private Reply setEnabled(int index, boolean enabled) {
    Vring vring = vring(index);
    vring.pause(!enabled && suspends());
    vring.setEnabled(enabled);
    resume(vring);
    return Reply.DONE;
  }

  /** Changes what all vrings work with. */
  private Reply whilePaused(Runnable change) {
    vrings.forEach(Vring::pause);
    try {
      change.run();
    } finally {
      vrings.forEach(this::resume);
    }
    return Reply.DONE;
  }

  /** Translations lead to the memory of before. */
  private Reply changeMemory(Runnable change) {
    return whilePaused(
        () -> {
          iotlb.clear();
          change.run();
          postcopy.memoryChanged();
        });
  }

  private Reply setMemTable(List<MemoryRegion> regions, Descriptors fds) {
    if (regions.isEmpty() && postcopy.unconfirmed()) {
      return memoryServed();
    }
    Reply done = changeMemory(() -> memory.replace(regions, fds));
    return postcopy.listening() ? told(new SetMemTable(memory.inThisProcess())) : done;
  }

  private Reply addMemReg(MemoryRegion region, Descriptors fds) {
    Reply done = changeMemory(() -> memory.add(region, fds));
    return postcopy.listening() ? told(new AddMemReg(memory.inThisProcess().getLast())) : done;
  }

  /** A request sent back: in postcopy, with the addresses of this process. */
  private static Reply told(hawser.vhost.message.FrontEndMessage request) {
    ByteBuffer payload = VhostSocket.payload();
    FrontEndCodec.write(request, payload);
    return new Reply.Payload(payload.flip());
  }

  /** From here on the front-end brings missing pages: queues may wait for them. */
  private Reply memoryServed() {
    postcopy.confirmed();
    vrings.forEach(this::resume);
    return Reply.DONE;
  }

  private Reply advisePostcopy() {
    if (!ProtocolFeature.PAGEFAULT.in(protocol)) {
      throw new PeerFault("POSTCOPY_ADVISE: PAGEFAULT is not agreed");
    }
    return new Reply.Payload(ByteBuffer.allocate(0), postcopy.advise());
  }

  /** The front-end gives or takes back a translation; answered always, by 0 or not. */
  private Reply translate(IotlbEntry entry) {
    if ((offered & VirtioFeature.ACCESS_PLATFORM) == 0) {
      throw new PeerFault("IOTLB_MSG: its feature was not offered");
    }
    try {
      switch (entry.type()) {
        case UPDATE ->
            iotlb.update(entry, memory.table(), ProtocolFeature.GPA_ADDRESSES.in(protocol));
        case INVALIDATE -> {
          vrings.forEach(vring -> vring.pauseIfInvalid(entry, packed()));
          iotlb.invalidate(entry);
        }
        case MISS, ACCESS_FAIL ->
            throw new PeerFault("IOTLB_MSG: %s is for back-ends to say".formatted(entry.type()));
      }
      vrings.forEach(this::resume);
      return Reply.number(0);
    } catch (PeerFault e) {
      options.log().accept(String.valueOf(e.getMessage()));
      return Reply.number(1);
    }
  }

  private Reply setFeatures(long asked) {
    Features.check("SET_FEATURES", asked, offered);
    long before = features;
    return whilePaused(
        () -> {
          features = asked;
          if ((asked & VirtioFeature.PROTOCOL_FEATURES) == 0) {
            vrings.forEach(vring -> vring.setEnabled(true));
          }
          device.agreed(asked);
          if (device instanceof SavesState state) {
            tellOfMigration(state, before, asked);
          }
        });
  }

  private static void tellOfMigration(SavesState state, long before, long now) {
    boolean wasLogged = (before & VirtioFeature.LOG_ALL) != 0;
    boolean isLogged = (now & VirtioFeature.LOG_ALL) != 0;
    if (isLogged && !wasLogged) {
      state.prepare();
    } else if (wasLogged && !isLogged) {
      state.cancel();
    }
  }

  private Reply setLogBase(long size, long offset, Descriptors fds) {
    try (var file = new Descriptors(fds.take("SET_LOG_BASE"))) {
      DirtyLog newLog = DirtyLog.map(file.peek(), size, offset);
      whilePaused(
          () -> {
            if (log != null) {
              log.unmap();
            }
            log = newLog;
          });
    }
    return Reply.number(0);
  }

  private Reply getVringBase(int index) {
    Vring vring = vring(index);
    boolean worked = vring.started();
    if (!suspends() && !postcopy.unconfirmed()) {
      vring.finishLeft(around());
    }
    int base = vring.stop(suspends());
    if (worked && vrings.stream().noneMatch(Vring::started)) {
      device.suspended();
    }
    ByteBuffer state = ByteBuffer.allocate(8).order(ByteOrder.nativeOrder());
    return new Reply.Payload(state.putInt(index).putInt(base).flip());
  }

  private Reply setKick(VringDescriptor which, Descriptors fds) {
    return change(
        which.vring(),
        vring -> {
          vring.descriptors().setKick(taken(which, fds));
          vring.start();
        });
  }

  /** A kick in band, the first of which starts the vring. */
  private Reply kick(int index) {
    if (!ProtocolFeature.INBAND_NOTIFICATIONS.in(protocol)) {
      throw new PeerFault("VRING_KICK: in-band notifications are not agreed");
    }
    Vring vring = vring(index);
    vring.start();
    resume(vring);
    vring.kick();
    return Reply.DONE;
  }

  private static int taken(VringDescriptor which, Descriptors fds) {
    return which.present() ? fds.take("vring " + which.vring()) : Descriptors.NONE;
  }

  private Reply setChannel(Descriptors fds) {
    host.listen(fds.take("SET_BACKEND_REQ_FD"));
    return Reply.DONE;
  }

  private Reply getSharedObject(UUID uuid) {
    if (!(device instanceof SharesObjects objects)) {
      throw new PeerFault("GET_SHARED_OBJECT: this device has none");
    }
    ByteBuffer payload = VhostSocket.payload();
    FrontEndCodec.write(new GetSharedObject(uuid), payload);
    return new Reply.Payload(payload.flip(), objects.sharedObject(uuid));
  }

  private Reply getShmemConfig() {
    if (!(device instanceof SharesMemory memories)) {
      throw new PeerFault("GET_SHMEM_CONFIG: this device has none");
    }
    long[] sizes = memories.sharedMemory();
    ByteBuffer payload = VhostSocket.payload().putInt(sizes.length).putInt(0);
    for (long size : sizes) {
      payload.putLong(size);
    }
    return new Reply.Payload(payload.flip());
  }

  private Reply getConfig(ConfigSpace range) {
    ByteBuffer config = device.config();
    int wanted = range.content().remaining();
    ByteBuffer content = ByteBuffer.allocate(wanted);
    if (range.offset() < config.remaining()) {
      int known = Math.min(wanted, config.remaining() - range.offset());
      content.put(config.slice(config.position() + range.offset(), known));
    }
    ByteBuffer payload = VhostSocket.payload();
    new ConfigSpace(range.offset(), range.flags(), content.clear()).write(payload);
    return new Reply.Payload(payload.flip());
  }

  private boolean packed() {
    return (features & VirtioFeature.RING_PACKED) != 0;
  }

  private Reply getInflight(InflightArea asked) {
    InflightArea area = Inflight.areaFor(asked, vrings.size(), packed());
    int fd = Inflight.create(area);
    ByteBuffer payload = VhostSocket.payload();
    area.write(payload);
    return new Reply.Payload(payload.flip(), fd);
  }

  private Reply setInflight(InflightArea area, Descriptors fds) {
    try (var file = new Descriptors(fds.take("SET_INFLIGHT_FD"))) {
      Inflight newInflight = Inflight.map(area, file.peek(), packed());
      return whilePaused(
          () -> {
            if (inflight != null) {
              inflight.unmap();
            }
            inflight = newInflight;
          });
    }
  }

  private Reply reset() {
    vrings.forEach(Vring::reset);
    iotlb.clear();
    host.reset();
    device.reset();
    return Reply.DONE;
  }

  /**
   * Status 0 is a reset, but QEMU says it whenever it stops, also before it asks for the state of a
   * device that migrates: where there is RESET_DEVICE too, only that makes such a device forget.
   */
  private Reply setStatus(int newStatus) {
    status = newStatus;
    if (newStatus != 0) {
      return Reply.DONE;
    }
    if (device instanceof SavesState && ProtocolFeature.RESET_DEVICE.in(protocol)) {
      vrings.forEach(Vring::reset);
      return Reply.DONE;
    }
    return reset();
  }

  private Reply setDeviceState(SetDeviceStateFd asked, Descriptors fds) {
    int fd = fds.take("SET_DEVICE_STATE_FD");
    boolean begun = false;
    try {
      if (!(device instanceof SavesState state)) {
        throw new PeerFault("SET_DEVICE_STATE_FD: this device has no state of its own");
      }
      if (asked.phase() != SetDeviceStateFd.PHASE_STOPPED) {
        options.log().accept("SET_DEVICE_STATE_FD: phase is %d, not 0".formatted(asked.phase()));
        return Reply.number(NO_DESCRIPTOR | 1);
      }
      if (asked.direction() == StateDirection.SAVE) {
        state.readyToSave();
      }
      transfer = new StateTransfer(state, device.name(), asked.direction(), fd, options.log());
      begun = true;
      return Reply.number(NO_DESCRIPTOR);
    } catch (IOException e) {
      options.log().accept("SET_DEVICE_STATE_FD: refused: " + e.getMessage());
      return Reply.number(NO_DESCRIPTOR | 1);
    } finally {
      if (!begun) {
        new Descriptors(fd).close();
      }
    }
  }

  private Reply checkDeviceState() {
    StateTransfer last = transfer;
    transfer = null;
    return Reply.number(last != null && last.await() ? 0 : 1);
  }

  private static final int NO_DESCRIPTOR = 1 << 8;
}
