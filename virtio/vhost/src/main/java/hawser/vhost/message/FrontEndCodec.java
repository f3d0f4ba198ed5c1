package hawser.vhost.message;

import hawser.base.PeerFault;
import hawser.vhost.message.FrontEndMessage.*;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.UUID;

/** Front-end requests from and to payloads, in the machine's byte order. */
public final class FrontEndCodec {
  private FrontEndCodec() {}

  /**
   * Reads the payload between position and limit, whose size {@link FrontEndCode#check} has
   * allowed.
   *
   * @throws PeerFault naming a field whose value is not allowed
   */
  public static FrontEndMessage read(FrontEndCode code, ByteBuffer in) {
    return switch (code) {
      case GET_FEATURES -> new GetFeatures();
      case SET_FEATURES -> new SetFeatures(in.getLong());
      case SET_OWNER -> new SetOwner();
      case RESET_OWNER -> new ResetOwner();
      case SET_MEM_TABLE -> memTable(in);
      case SET_LOG_BASE -> new SetLogBase(in.getLong(), in.getLong());
      case SET_LOG_FD -> new SetLogFd();
      case SET_VRING_NUM -> new SetVringNum(in.getInt(), in.getInt());
      case SET_VRING_ADDR ->
          new SetVringAddr(
              in.getInt(), in.getInt(), in.getLong(), in.getLong(), in.getLong(), in.getLong());
      case SET_VRING_BASE -> new SetVringBase(in.getInt(), in.getInt());
      case GET_VRING_BASE -> new GetVringBase(in.getInt());
      case SET_VRING_KICK -> new SetVringKick(VringDescriptor.of(in.getLong()));
      case SET_VRING_CALL -> new SetVringCall(VringDescriptor.of(in.getLong()));
      case SET_VRING_ERR -> new SetVringErr(VringDescriptor.of(in.getLong()));
      case GET_PROTOCOL_FEATURES -> new GetProtocolFeatures();
      case SET_PROTOCOL_FEATURES -> new SetProtocolFeatures(in.getLong());
      case GET_QUEUE_NUM -> new GetQueueNum();
      case SET_VRING_ENABLE -> new SetVringEnable(in.getInt(), flag(code, in.getInt()));
      case SEND_RARP -> new SendRarp(in.getLong());
      case NET_SET_MTU -> new NetSetMtu(in.getLong());
      case SET_BACKEND_REQ_FD -> new SetBackendReqFd();
      case IOTLB_MSG -> new IotlbMsg(IotlbEntry.read(in));
      case SET_VRING_ENDIAN -> new SetVringEndian(in.getInt(), flag(code, in.getInt()));
      case GET_CONFIG -> new GetConfig(ConfigSpace.read(in));
      case SET_CONFIG -> new SetConfig(ConfigSpace.read(in));
      case CREATE_CRYPTO_SESSION ->
          new CreateCryptoSession(ByteBuffer.allocate(in.remaining()).put(in).flip());
      case CLOSE_CRYPTO_SESSION -> new CloseCryptoSession(in.getLong());
      case POSTCOPY_ADVISE -> new PostcopyAdvise();
      case POSTCOPY_LISTEN -> new PostcopyListen();
      case POSTCOPY_END -> new PostcopyEnd();
      case GET_INFLIGHT_FD -> new GetInflightFd(InflightArea.read(in));
      case SET_INFLIGHT_FD -> new SetInflightFd(InflightArea.read(in));
      case GPU_SET_SOCKET -> new GpuSetSocket();
      case RESET_DEVICE -> new ResetDevice();
      case VRING_KICK -> new VringKick(in.getInt());
      case GET_MAX_MEM_SLOTS -> new GetMaxMemSlots();
      case ADD_MEM_REG -> isServed(in) ? served(code, in) : new AddMemReg(paddedRegion(code, in));
      case REM_MEM_REG -> isServed(in) ? served(code, in) : new RemMemReg(paddedRegion(code, in));
      case SET_STATUS -> new SetStatus((int) in.getLong());
      case GET_STATUS -> new GetStatus();
      case GET_SHARED_OBJECT -> new GetSharedObject(uuid(in));
      case SET_DEVICE_STATE_FD -> deviceState(in);
      case CHECK_DEVICE_STATE -> new CheckDeviceState();
      case GET_SHMEM_CONFIG -> new GetShmemConfig();
    };
  }

  private static SetMemTable memTable(ByteBuffer in) {
    int count = in.getInt();
    in.getInt();
    if (count < 0 || count > MessageLimits.TABLE_REGIONS_MAX) {
      throw new PeerFault(
          "SET_MEM_TABLE: %s regions, more than %d"
              .formatted(Integer.toUnsignedString(count), MessageLimits.TABLE_REGIONS_MAX));
    }
    if (in.remaining() < count * MemoryRegion.BYTES) {
      throw new PeerFault("SET_MEM_TABLE: %d regions in %d bytes".formatted(count, in.remaining()));
    }
    var regions = new ArrayList<MemoryRegion>();
    for (int i = 0; i < count; i++) {
      regions.add(MemoryRegion.read(in));
    }
    return new SetMemTable(regions);
  }

  private static boolean isServed(ByteBuffer in) {
    return in.remaining() == MemoryServed.BYTES;
  }

  private static MemoryServed served(FrontEndCode code, ByteBuffer in) {
    long answer = in.getLong();
    if (answer != 0) {
      throw new PeerFault("%s: the front-end says %d, not 0".formatted(code, answer));
    }
    return new MemoryServed(code);
  }

  private static MemoryRegion paddedRegion(FrontEndCode code, ByteBuffer in) {
    if (in.remaining() != code.payloadMax) {
      throw new PeerFault(
          "%s: size is %d, not %d".formatted(code, in.remaining(), code.payloadMax));
    }
    in.getLong();
    return MemoryRegion.read(in);
  }

  private static boolean flag(FrontEndCode code, int value) {
    if (value != 0 && value != 1) {
      throw new PeerFault("%s: %d is neither 0 nor 1".formatted(code, value));
    }
    return value == 1;
  }

  private static SetDeviceStateFd deviceState(ByteBuffer in) {
    int direction = in.getInt();
    int phase = in.getInt();
    if (direction != 0 && direction != 1) {
      throw new PeerFault("SET_DEVICE_STATE_FD: direction is %d, not 0 or 1".formatted(direction));
    }
    return new SetDeviceStateFd(direction == 0 ? StateDirection.SAVE : StateDirection.LOAD, phase);
  }

  /** The bytes of a UUID are in the order in which people write it. */
  static UUID uuid(ByteBuffer in) {
    long high = Long.reverseBytes(in.getLong());
    return new UUID(high, Long.reverseBytes(in.getLong()));
  }

  static void writeUuid(UUID uuid, ByteBuffer out) {
    out.putLong(Long.reverseBytes(uuid.getMostSignificantBits()));
    out.putLong(Long.reverseBytes(uuid.getLeastSignificantBits()));
  }

  /** The request's code. */
  public static FrontEndCode code(FrontEndMessage message) {
    return switch (message) {
      case GetFeatures _ -> FrontEndCode.GET_FEATURES;
      case SetFeatures _ -> FrontEndCode.SET_FEATURES;
      case SetOwner _ -> FrontEndCode.SET_OWNER;
      case ResetOwner _ -> FrontEndCode.RESET_OWNER;
      case SetMemTable _ -> FrontEndCode.SET_MEM_TABLE;
      case SetLogBase _ -> FrontEndCode.SET_LOG_BASE;
      case SetLogFd _ -> FrontEndCode.SET_LOG_FD;
      case SetVringNum _ -> FrontEndCode.SET_VRING_NUM;
      case SetVringAddr _ -> FrontEndCode.SET_VRING_ADDR;
      case SetVringBase _ -> FrontEndCode.SET_VRING_BASE;
      case GetVringBase _ -> FrontEndCode.GET_VRING_BASE;
      case SetVringKick _ -> FrontEndCode.SET_VRING_KICK;
      case SetVringCall _ -> FrontEndCode.SET_VRING_CALL;
      case SetVringErr _ -> FrontEndCode.SET_VRING_ERR;
      case GetProtocolFeatures _ -> FrontEndCode.GET_PROTOCOL_FEATURES;
      case SetProtocolFeatures _ -> FrontEndCode.SET_PROTOCOL_FEATURES;
      case GetQueueNum _ -> FrontEndCode.GET_QUEUE_NUM;
      case SetVringEnable _ -> FrontEndCode.SET_VRING_ENABLE;
      case SendRarp _ -> FrontEndCode.SEND_RARP;
      case NetSetMtu _ -> FrontEndCode.NET_SET_MTU;
      case SetBackendReqFd _ -> FrontEndCode.SET_BACKEND_REQ_FD;
      case IotlbMsg _ -> FrontEndCode.IOTLB_MSG;
      case SetVringEndian _ -> FrontEndCode.SET_VRING_ENDIAN;
      case GetConfig _ -> FrontEndCode.GET_CONFIG;
      case SetConfig _ -> FrontEndCode.SET_CONFIG;
      case CreateCryptoSession _ -> FrontEndCode.CREATE_CRYPTO_SESSION;
      case CloseCryptoSession _ -> FrontEndCode.CLOSE_CRYPTO_SESSION;
      case PostcopyAdvise _ -> FrontEndCode.POSTCOPY_ADVISE;
      case PostcopyListen _ -> FrontEndCode.POSTCOPY_LISTEN;
      case PostcopyEnd _ -> FrontEndCode.POSTCOPY_END;
      case GetInflightFd _ -> FrontEndCode.GET_INFLIGHT_FD;
      case SetInflightFd _ -> FrontEndCode.SET_INFLIGHT_FD;
      case GpuSetSocket _ -> FrontEndCode.GPU_SET_SOCKET;
      case ResetDevice _ -> FrontEndCode.RESET_DEVICE;
      case VringKick _ -> FrontEndCode.VRING_KICK;
      case GetMaxMemSlots _ -> FrontEndCode.GET_MAX_MEM_SLOTS;
      case AddMemReg _ -> FrontEndCode.ADD_MEM_REG;
      case RemMemReg _ -> FrontEndCode.REM_MEM_REG;
      case MemoryServed(FrontEndCode request) -> request;
      case SetStatus _ -> FrontEndCode.SET_STATUS;
      case GetStatus _ -> FrontEndCode.GET_STATUS;
      case GetSharedObject _ -> FrontEndCode.GET_SHARED_OBJECT;
      case SetDeviceStateFd _ -> FrontEndCode.SET_DEVICE_STATE_FD;
      case CheckDeviceState _ -> FrontEndCode.CHECK_DEVICE_STATE;
      case GetShmemConfig _ -> FrontEndCode.GET_SHMEM_CONFIG;
    };
  }

  /** Writes the payload at the buffer's position. */
  public static void write(FrontEndMessage message, ByteBuffer out) {
    switch (message) {
      case GetFeatures(),
          SetOwner(),
          ResetOwner(),
          SetLogFd(),
          GetProtocolFeatures(),
          GetQueueNum(),
          SetBackendReqFd(),
          PostcopyAdvise(),
          PostcopyListen(),
          PostcopyEnd(),
          GpuSetSocket(),
          ResetDevice(),
          GetMaxMemSlots(),
          GetStatus(),
          CheckDeviceState(),
          GetShmemConfig() -> {}
      case SetFeatures(long features) -> out.putLong(features);
      case SetMemTable(var regions) -> {
        out.putInt(regions.size()).putInt(0);
        regions.forEach(region -> region.write(out));
      }
      case SetLogBase(long size, long offset) -> out.putLong(size).putLong(offset);
      case SetVringNum(int vring, int size) -> out.putInt(vring).putInt(size);
      case SetVringAddr a -> {
        out.putInt(a.vring()).putInt(a.flags()).putLong(a.descriptors());
        out.putLong(a.used()).putLong(a.available()).putLong(a.log());
      }
      case SetVringBase(int vring, int base) -> out.putInt(vring).putInt(base);
      case GetVringBase(int vring) -> out.putInt(vring).putInt(0);
      case SetVringKick(var vring) -> out.putLong(vring.word());
      case SetVringCall(var vring) -> out.putLong(vring.word());
      case SetVringErr(var vring) -> out.putLong(vring.word());
      case SetProtocolFeatures(long features) -> out.putLong(features);
      case SetVringEnable(int vring, boolean on) -> out.putInt(vring).putInt(on ? 1 : 0);
      case SendRarp(long mac) -> out.putLong(mac);
      case NetSetMtu(long bytes) -> out.putLong(bytes);
      case IotlbMsg(var entry) -> entry.write(out);
      case SetVringEndian(int vring, boolean big) -> out.putInt(vring).putInt(big ? 1 : 0);
      case GetConfig(var range) -> range.write(out);
      case SetConfig(var range) -> range.write(out);
      case CreateCryptoSession(var session) -> out.put(session.duplicate());
      case CloseCryptoSession(long session) -> out.putLong(session);
      case GetInflightFd(var area) -> area.write(out);
      case SetInflightFd(var area) -> area.write(out);
      case VringKick(int vring) -> out.putInt(vring).putInt(0);
      case AddMemReg(var region) -> region.write(out.putLong(0));
      case RemMemReg(var region) -> region.write(out.putLong(0));
      case MemoryServed _ -> out.putLong(0);
      case SetStatus(int status) -> out.putLong(status);
      case GetSharedObject(var uuid) -> writeUuid(uuid, out);
      case SetDeviceStateFd(var direction, int phase) -> out.putInt(direction.number).putInt(phase);
    }
  }
}
