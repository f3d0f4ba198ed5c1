package hawser.vhost.frontend;

import hawser.base.PeerFault;
import hawser.sys.FileCalls;
import hawser.sys.Result;
import hawser.sys.SocketCalls;
import hawser.vhost.connection.Received;
import hawser.vhost.connection.VhostSocket;
import hawser.vhost.message.ConfigSpace;
import hawser.vhost.message.Descriptors;
import hawser.vhost.message.FrontEndCode;
import hawser.vhost.message.FrontEndCodec;
import hawser.vhost.message.FrontEndMessage;
import hawser.vhost.message.FrontEndMessage.*;
import hawser.vhost.message.InflightArea;
import hawser.vhost.message.IotlbEntry;
import hawser.vhost.message.MemoryRegion;
import hawser.vhost.message.MessageLimits;
import hawser.vhost.message.ProtocolFeature;
import hawser.vhost.message.StateDirection;
import hawser.vhost.message.VringDescriptor;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The front-end's role on one connection: every request as a method, in any order that the caller
 * likes, right or wrong (vhost-user, "Front-end message types"). {@link Driver} knows the right
 * one.
 *
 * <p>A request with an answer waits for it; one without waits for an acknowledgement once REPLY_ACK
 * is set. Whatever is not answered in time, or answered wrongly, is a {@link PeerFault} that names
 * the request. Descriptors given to a method stay the caller's; those it returns are the caller's.
 * Safe from any thread: requests go one after the other.
 */
public final class FrontEnd implements AutoCloseable {
  /** How long an answer may take unless somebody says otherwise. */
  public static final Duration PATIENCE = Duration.ofSeconds(30);

  /** Flag of the answer to SET_DEVICE_STATE_FD: it brings no descriptor. */
  private static final long STATE_WITHOUT_DESCRIPTOR = 1 << 8;

  private static final int STATE_ERROR_MASK = 0xff;

  private final Exchange exchange;
  private @Nullable BackEndChannel channel;

  /** Takes over a connected descriptor. */
  public FrontEnd(int fd, Duration patience) {
    this.exchange = new Exchange(new VhostSocket(fd), patience);
  }

  /** A request of the caller's making, with a need_reply flag if acknowledgements are agreed. */
  public void order(FrontEndMessage message, int... descriptors) {
    exchange.order(message, descriptors);
  }

  /** Whether to ask for acknowledgements from now on; the back-end must have REPLY_ACK. */
  public void acknowledge(boolean wanted) {
    exchange.acknowledge(wanted);
  }

  /** The virtio features that the device offers, with LOG_ALL and PROTOCOL_FEATURES. */
  public long getFeatures() {
    return exchange.number(new GetFeatures());
  }

  /** Agrees on virtio features. */
  public void setFeatures(long features) {
    order(new SetFeatures(features));
  }

  /** Begins a session. */
  public void setOwner() {
    order(new SetOwner());
  }

  /** Ends a session, as old front-ends did. */
  public void resetOwner() {
    order(new ResetOwner());
  }

  /** The protocol features that the back-end offers. */
  public long getProtocolFeatures() {
    return exchange.number(new GetProtocolFeatures());
  }

  /** Agrees on protocol features; with REPLY_ACK later requests are acknowledged. */
  public void setProtocolFeatures(long features) {
    exchange.tell(new SetProtocolFeatures(features));
    exchange.acknowledge(ProtocolFeature.REPLY_ACK.in(features));
  }

  /** How many queues the device has at most. */
  public long getQueueNum() {
    return exchange.number(new GetQueueNum());
  }

  /** Shares these regions and no others; a descriptor for each. */
  public void setMemTable(List<MemoryRegion> regions, int... descriptors) {
    order(new SetMemTable(regions), descriptors);
  }

  /** How many memory regions the back-end takes, one by one. */
  public long getMaxMemSlots() {
    return exchange.number(new GetMaxMemSlots());
  }

  /** Shares one more region. */
  public void addMemReg(MemoryRegion region, int descriptor) {
    order(new AddMemReg(region), descriptor);
  }

  /** Stops sharing a region. */
  public void remMemReg(MemoryRegion region) {
    order(new RemMemReg(region));
  }

  /** Gives the dirty log; answered whenever LOG_SHMFD is agreed, which it must be. */
  public void setLogBase(long bytes, long offset, int descriptor) {
    // QEMU accepts any answer, and libvhost-user's is an empty payload.
    boolean _ = exchange.ask(new SetLogBase(bytes, offset), _ -> true, descriptor);
  }

  /** An eventfd that is poked when pages were marked. */
  public void setLogFd(int descriptor) {
    order(new SetLogFd(), descriptor);
  }

  /** The size of a vring, in descriptors. */
  public void setVringNum(int vring, int size) {
    order(new SetVringNum(vring, size));
  }

  /** Where a vring lies, in the front-end's address space. */
  public void setVringAddr(SetVringAddr addresses) {
    order(addresses);
  }

  /** Where a vring goes on. */
  public void setVringBase(int vring, int base) {
    order(new SetVringBase(vring, base));
  }

  /** Stops a vring; answers where it goes on. */
  public int getVringBase(int vring) {
    return exchange.ask(
        new GetVringBase(vring),
        answer -> {
          ByteBuffer state = Exchange.sized(answer, 8);
          int index = state.getInt();
          if (index != vring) {
            throw new PeerFault("GET_VRING_BASE: answer is for vring %d".formatted(index));
          }
          return state.getInt();
        });
  }

  /** The eventfd by which the driver wakes the device; {@link Descriptors#NONE}: it polls. */
  public void setVringKick(int vring, int descriptor) {
    order(new SetVringKick(of(vring, descriptor)), some(descriptor));
  }

  /** The eventfd by which the device wakes the driver; {@link Descriptors#NONE}: it polls. */
  public void setVringCall(int vring, int descriptor) {
    order(new SetVringCall(of(vring, descriptor)), some(descriptor));
  }

  /** The eventfd by which the device tells of a broken vring, or {@link Descriptors#NONE}. */
  public void setVringErr(int vring, int descriptor) {
    order(new SetVringErr(of(vring, descriptor)), some(descriptor));
  }

  private static VringDescriptor of(int vring, int descriptor) {
    return new VringDescriptor(vring, descriptor != Descriptors.NONE);
  }

  private static int[] some(int descriptor) {
    return descriptor == Descriptors.NONE ? new int[0] : new int[] {descriptor};
  }

  /** Lets a vring work, or not. */
  public void setVringEnable(int vring, boolean enabled) {
    order(new SetVringEnable(vring, enabled));
  }

  /** The byte order of a legacy vring. */
  public void setVringEndian(int vring, boolean bigEndian) {
    order(new SetVringEndian(vring, bigEndian));
  }

  /** A kick in band, where that is agreed. */
  public void vringKick(int vring) {
    order(new VringKick(vring));
  }

  /** Makes the back-end announce an Ethernet address. */
  public void sendRarp(long macAddress) {
    order(new SendRarp(macAddress));
  }

  /** The largest packet of a network device. */
  public void netSetMtu(long bytes) {
    order(new NetSetMtu(bytes));
  }

  /** Opens the channel on which the back-end asks; {@code listener} answers on a thread of it. */
  public synchronized void setBackendReqFd(BackEndListener listener) {
    if (channel != null) {
      channel.close();
      channel = null;
    }
    int[] pair = new int[2];
    long result = SocketCalls.socketPair(pair);
    if (Result.failed(result)) {
      throw new AssertionError("socketpair: " + Result.errno(result).text());
    }
    channel = new BackEndChannel(pair[0], listener);
    try {
      order(new SetBackendReqFd(), pair[1]);
    } finally {
      FileCalls.close(pair[1]);
    }
  }

  /** What broke the back-end's channel, or null. */
  public synchronized @Nullable PeerFault channelFault() {
    return channel == null ? null : channel.fault();
  }

  /** Gives or takes back a translation. */
  public void iotlb(IotlbEntry entry) {
    long answer = exchange.number(new IotlbMsg(entry));
    if (answer != 0) {
      throw new PeerFault("IOTLB_MSG: the back-end answers %d, not 0".formatted(answer));
    }
  }

  /** Reads of the device's configuration space. */
  public byte[] getConfig(int offset, int bytes) {
    var question = new ConfigSpace(offset, 0, ByteBuffer.allocate(bytes));
    return exchange.ask(
        new GetConfig(question),
        answer -> {
          if (answer.payload().remaining() != ConfigSpace.HEADER_BYTES + bytes) {
            throw new PeerFault(
                "GET_CONFIG: the answer has %d bytes, not %d"
                    .formatted(answer.payload().remaining(), ConfigSpace.HEADER_BYTES + bytes));
          }
          var content = new byte[bytes];
          ConfigSpace.read(answer.payload()).content().get(content);
          return content;
        });
  }

  /** Writes to the device's configuration space; {@code flags} as {@link ConfigSpace} has them. */
  public void setConfig(int offset, int flags, byte[] content) {
    order(new SetConfig(new ConfigSpace(offset, flags, ByteBuffer.wrap(content))));
  }

  /** Opens a session of a crypto device; the answer as it came. */
  public byte[] createCryptoSession(byte[] session) {
    return exchange.ask(
        new CreateCryptoSession(ByteBuffer.wrap(session)),
        answer -> {
          var reply = new byte[answer.payload().remaining()];
          answer.payload().get(reply);
          return reply;
        });
  }

  /** Closes a session of a crypto device. */
  public void closeCryptoSession(long session) {
    order(new CloseCryptoSession(session));
  }

  /**
   * After {@link #postcopyListen}: shares these regions and no others. Answers where the back-end
   * has them, which waits for {@link #memoryServed} before it touches them.
   */
  public List<MemoryRegion> setMissingMemTable(List<MemoryRegion> regions, int... descriptors) {
    return exchange.ask(
        new SetMemTable(regions),
        answer -> ((SetMemTable) told(FrontEndCode.SET_MEM_TABLE, answer)).regions(),
        descriptors);
  }

  /** After {@link #postcopyListen}: one more region. As {@link #setMissingMemTable}. */
  public MemoryRegion addMissingMemReg(MemoryRegion region, int descriptor) {
    return exchange.ask(
        new AddMemReg(region),
        answer -> {
          if (told(FrontEndCode.ADD_MEM_REG, answer) instanceof AddMemReg(MemoryRegion there)) {
            return there;
          }
          throw new PeerFault("ADD_MEM_REG: the answer tells no address");
        },
        descriptor);
  }

  /** An answer that repeats the request, with addresses of the back-end's. */
  private static FrontEndMessage told(FrontEndCode code, Received answer) {
    code.check(answer.payload().remaining(), answer.descriptors().count());
    return FrontEndCodec.read(code, answer.payload());
  }

  /** Says that faults in the memory of the last such request are served from now on. */
  public void memoryServed(FrontEndCode request) {
    exchange.tell(new MemoryServed(request));
  }

  /** Begins postcopy; answers the back-end's userfaultfd. */
  public int postcopyAdvise() {
    return exchange.ask(new PostcopyAdvise(), answer -> answer.descriptors().take("the answer"));
  }

  /** Memory shared from now on is filled by faults. */
  public void postcopyListen() {
    order(new PostcopyListen());
  }

  /** Ends postcopy; answers 0 for success. */
  public long postcopyEnd() {
    return exchange.number(new PostcopyEnd());
  }

  /** Asks for memory for the record of requests under way. */
  public InflightRecord getInflightFd(int queues, int queueSize) {
    return exchange.ask(
        new GetInflightFd(new InflightArea(0, 0, queues, queueSize)),
        answer -> {
          int bytes = answer.payload().remaining();
          if (bytes < InflightArea.BYTES_MIN || bytes > InflightArea.BYTES) {
            throw new PeerFault("GET_INFLIGHT_FD: the answer has %d bytes".formatted(bytes));
          }
          var area = InflightArea.read(answer.payload());
          return new InflightRecord(area, answer.descriptors().take("the inflight area"));
        });
  }

  /** Gives the record of requests under way. */
  public void setInflightFd(InflightRecord record) {
    order(new SetInflightFd(record.area()), record.descriptor());
  }

  /** Gives the gpu device its own socket. */
  public void gpuSetSocket(int descriptor) {
    order(new GpuSetSocket(), descriptor);
  }

  /** Resets the device; rings and memory stay. */
  public void resetDevice() {
    order(new ResetDevice());
  }

  /** Sets the device status; 0 resets. Bits as in {@link VirtioStatus}. */
  public void setStatus(int status) {
    order(new SetStatus(status));
  }

  /** The device status. */
  public long getStatus() {
    return exchange.number(new GetStatus());
  }

  /** Asks for a shared object; answers its descriptor, or {@link Descriptors#NONE}. */
  public int getSharedObject(UUID uuid) {
    return exchange.ask(new GetSharedObject(uuid), answer -> answer.descriptors().takeOrNone());
  }

  /**
   * Begins to move the device's state through a pipe. Answers the descriptor that the back-end
   * wants used instead, or {@link Descriptors#NONE}.
   */
  public int setDeviceStateFd(StateDirection direction, int descriptor) {
    return exchange.ask(
        new SetDeviceStateFd(direction, SetDeviceStateFd.PHASE_STOPPED),
        FrontEnd::stateDescriptor,
        descriptor);
  }

  private static int stateDescriptor(Received answer) {
    long value = Exchange.number(answer);
    if ((value & STATE_ERROR_MASK) != 0) {
      throw new PeerFault("SET_DEVICE_STATE_FD: the back-end answers %#x".formatted(value));
    }
    boolean without = (value & STATE_WITHOUT_DESCRIPTOR) != 0;
    return without ? Descriptors.NONE : answer.descriptors().take("the answer");
  }

  /** Whether the state went over whole: 0, or the back-end's error. */
  public long checkDeviceState() {
    return exchange.number(new CheckDeviceState());
  }

  /** Sizes in bytes of the shared memory regions, by id; 0 for one that is not there. */
  public long[] getShmemConfig() {
    return exchange.ask(
        new GetShmemConfig(),
        answer -> {
          ByteBuffer in = answer.payload();
          if (in.remaining() < 8) {
            throw new PeerFault("GET_SHMEM_CONFIG: the answer has %d bytes".formatted(in.limit()));
          }
          int count = in.getInt();
          in.getInt();
          if (count < 0 || count > MessageLimits.SHARED_MEMORY_REGIONS_MAX) {
            throw new PeerFault("GET_SHMEM_CONFIG: %d regions".formatted(count));
          }
          var sizes = new long[in.remaining() / Long.BYTES];
          in.asLongBuffer().get(sizes);
          return sizes;
        });
  }

  /** Ends the connection; a thread that waits for an answer gets a fault. */
  public void shutdown() {
    exchange.shutdown();
  }

  @Override
  public synchronized void close() {
    exchange.close();
    if (channel != null) {
      channel.close();
      channel = null;
    }
  }
}
