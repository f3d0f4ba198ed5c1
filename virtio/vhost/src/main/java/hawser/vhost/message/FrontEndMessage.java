package hawser.vhost.message;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.UUID;

/**
 * What the front-end asks, one record for each of {@link FrontEndCode}. Descriptors that come with
 * a message are beside it, in {@link hawser.vhost.message.Descriptors}. Addresses and sizes are
 * bytes, vring sizes descriptors.
 */
public sealed interface FrontEndMessage {
  /** Which virtio features are offered. */
  record GetFeatures() implements FrontEndMessage {}

  /** Which virtio features are used; LOG_ALL switches the dirty log on and off. */
  record SetFeatures(long features) implements FrontEndMessage {}

  /** This front-end is now the owner. */
  record SetOwner() implements FrontEndMessage {}

  /** Deprecated; nothing depends on it. */
  record ResetOwner() implements FrontEndMessage {}

  /** These regions, a descriptor for each, are all of guest memory. */
  record SetMemTable(List<MemoryRegion> regions) implements FrontEndMessage {}

  /** The dirty log comes with a descriptor. */
  record SetLogBase(long mmapSize, long mmapOffset) implements FrontEndMessage {}

  /** An event to signal when the log changes. */
  record SetLogFd() implements FrontEndMessage {}

  /** How many descriptors a vring has. */
  record SetVringNum(int vring, int size) implements FrontEndMessage {}

  /** Addresses of the front-end's own space; {@code log} is a guest address. */
  record SetVringAddr(int vring, int flags, long descriptors, long used, long available, long log)
      implements FrontEndMessage {
    /** Flag: writes to the used ring are marked in the dirty log, at {@code log}. */
    public static final int LOG_USED = 1;
  }

  /** Where a vring goes on. */
  record SetVringBase(int vring, int base) implements FrontEndMessage {}

  /** Stop a vring and say where it goes on. */
  record GetVringBase(int vring) implements FrontEndMessage {}

  /** How the driver kicks a vring, which is thereby started. */
  record SetVringKick(VringDescriptor vring) implements FrontEndMessage {}

  /** How the driver is told of used buffers. */
  record SetVringCall(VringDescriptor vring) implements FrontEndMessage {}

  /** How the front-end is told that a vring is broken. */
  record SetVringErr(VringDescriptor vring) implements FrontEndMessage {}

  /** Which protocol features are offered. */
  record GetProtocolFeatures() implements FrontEndMessage {}

  /** Which protocol features are used. */
  record SetProtocolFeatures(long features) implements FrontEndMessage {}

  /** How many vrings there are at most. */
  record GetQueueNum() implements FrontEndMessage {}

  /** Whether a started vring works. */
  record SetVringEnable(int vring, boolean enabled) implements FrontEndMessage {}

  /** Announce a guest that has moved; the address is in the low 6 bytes. */
  record SendRarp(long macAddress) implements FrontEndMessage {}

  /** The largest packet of the guest. */
  record NetSetMtu(long bytes) implements FrontEndMessage {}

  /** The channel for the back-end's own requests comes with a descriptor. */
  record SetBackendReqFd() implements FrontEndMessage {}

  /** A translation, or its end. */
  record IotlbMsg(IotlbEntry entry) implements FrontEndMessage {}

  /** The byte order of a legacy vring. */
  record SetVringEndian(int vring, boolean bigEndian) implements FrontEndMessage {}

  /** A range of the configuration space; the content has the wanted length. */
  record GetConfig(ConfigSpace range) implements FrontEndMessage {}

  /** The driver, or migration, writes to the configuration space. */
  record SetConfig(ConfigSpace range) implements FrontEndMessage {}

  /** A session of a crypto device. */
  record CreateCryptoSession(ByteBuffer session) implements FrontEndMessage {}

  /** The end of such a session. */
  record CloseCryptoSession(long session) implements FrontEndMessage {}

  /** Postcopy migration is coming; the answer brings a userfaultfd. */
  record PostcopyAdvise() implements FrontEndMessage {}

  /** Memory may be missing from now on. */
  record PostcopyListen() implements FrontEndMessage {}

  /** All memory is there. */
  record PostcopyEnd() implements FrontEndMessage {}

  /** Memory for the record of requests under way is wanted. */
  record GetInflightFd(InflightArea area) implements FrontEndMessage {}

  /** The record of requests under way comes with a descriptor. */
  record SetInflightFd(InflightArea area) implements FrontEndMessage {}

  /** The socket of the display comes with a descriptor. */
  record GpuSetSocket() implements FrontEndMessage {}

  /** As after power on: vrings stopped, the device's state forgotten. */
  record ResetDevice() implements FrontEndMessage {}

  /** A kick as a message. */
  record VringKick(int vring) implements FrontEndMessage {}

  /** How many memory regions there may be. */
  record GetMaxMemSlots() implements FrontEndMessage {}

  /** One more memory region comes with a descriptor. */
  record AddMemReg(MemoryRegion region) implements FrontEndMessage {}

  /** A memory region goes. */
  record RemMemReg(MemoryRegion region) implements FrontEndMessage {}

  /**
   * While a guest arrives by postcopy: the front-end serves faults in the memory that it has shared
   * or taken back by this request. With SET_MEM_TABLE it looks like a table without regions.
   */
  record MemoryServed(FrontEndCode request) implements FrontEndMessage {
    /** Bytes on the wire, all of them 0. */
    public static final int BYTES = 8;
  }

  /** The driver's status field; 0 resets the device. */
  record SetStatus(int status) implements FrontEndMessage {}

  /** What the status field is. */
  record GetStatus() implements FrontEndMessage {}

  /** The descriptor of a shared object is wanted. */
  record GetSharedObject(UUID uuid) implements FrontEndMessage {}

  /** Save or load the internal state through the descriptor that comes along. */
  record SetDeviceStateFd(StateDirection direction, int phase) implements FrontEndMessage {
    /** The only phase there is: the device is suspended. */
    public static final int PHASE_STOPPED = 0;
  }

  /** Whether the transfer of the internal state went well. */
  record CheckDeviceState() implements FrontEndMessage {}

  /** Which shared memory regions the device has. */
  record GetShmemConfig() implements FrontEndMessage {}
}
