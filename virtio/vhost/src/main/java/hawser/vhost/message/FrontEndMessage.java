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
  record GetFeatures() implements FrontEndMessage {}

  record SetFeatures(long features) implements FrontEndMessage {}

  record SetOwner() implements FrontEndMessage {}

  record ResetOwner() implements FrontEndMessage {}

  record SetMemTable(List<MemoryRegion> regions) implements FrontEndMessage {}

  record SetLogBase(long mmapSize, long mmapOffset) implements FrontEndMessage {}

  record SetLogFd() implements FrontEndMessage {}

  record SetVringNum(int vring, int size) implements FrontEndMessage {}

  /** Addresses of the front-end's own space; {@code log} is a guest address. */
  record SetVringAddr(int vring, int flags, long descriptors, long used, long available, long log)
      implements FrontEndMessage {
    /** Flag: writes to the used ring are marked in the dirty log, at {@code log}. */
    public static final int LOG_USED = 1;
  }

  record SetVringBase(int vring, int base) implements FrontEndMessage {}

  record GetVringBase(int vring) implements FrontEndMessage {}

  record SetVringKick(VringDescriptor vring) implements FrontEndMessage {}

  record SetVringCall(VringDescriptor vring) implements FrontEndMessage {}

  record SetVringErr(VringDescriptor vring) implements FrontEndMessage {}

  record GetProtocolFeatures() implements FrontEndMessage {}

  record SetProtocolFeatures(long features) implements FrontEndMessage {}

  record GetQueueNum() implements FrontEndMessage {}

  record SetVringEnable(int vring, boolean enabled) implements FrontEndMessage {}

  record SendRarp(long macAddress) implements FrontEndMessage {}

  record NetSetMtu(long bytes) implements FrontEndMessage {}

  record SetBackendReqFd() implements FrontEndMessage {}

  record IotlbMsg(IotlbEntry entry) implements FrontEndMessage {}

  record SetVringEndian(int vring, boolean bigEndian) implements FrontEndMessage {}

  record GetConfig(ConfigSpace range) implements FrontEndMessage {}

  record SetConfig(ConfigSpace range) implements FrontEndMessage {}

  record CreateCryptoSession(ByteBuffer session) implements FrontEndMessage {}

  record CloseCryptoSession(long session) implements FrontEndMessage {}

  record PostcopyAdvise() implements FrontEndMessage {}

  record PostcopyListen() implements FrontEndMessage {}

  record PostcopyEnd() implements FrontEndMessage {}

  record GetInflightFd(InflightArea area) implements FrontEndMessage {}

  record SetInflightFd(InflightArea area) implements FrontEndMessage {}

  record GpuSetSocket() implements FrontEndMessage {}

  record ResetDevice() implements FrontEndMessage {}

  record VringKick(int vring) implements FrontEndMessage {}

  record GetMaxMemSlots() implements FrontEndMessage {}

  record AddMemReg(MemoryRegion region) implements FrontEndMessage {}

  record RemMemReg(MemoryRegion region) implements FrontEndMessage {}

  record SetStatus(int status) implements FrontEndMessage {}

  record GetStatus() implements FrontEndMessage {}

  record GetSharedObject(UUID uuid) implements FrontEndMessage {}

  record SetDeviceStateFd(StateDirection direction, int phase) implements FrontEndMessage {
    /** The only phase there is: the device is suspended. */
    public static final int PHASE_STOPPED = 0;
  }

  record CheckDeviceState() implements FrontEndMessage {}

  record GetShmemConfig() implements FrontEndMessage {}
}
