package hawser.vhost.message;

import hawser.vhost.message.BackEndMessage.*;
import java.nio.ByteBuffer;

/** Back-end requests from and to payloads, in the machine's byte order. */
public final class BackEndCodec {
  private BackEndCodec() {}

  /** Reads the payload at the position, whose size {@link BackEndCode#check} has allowed. */
  public static BackEndMessage read(BackEndCode code, ByteBuffer in) {
    return switch (code) {
      case IOTLB_MSG -> new IotlbMsg(IotlbEntry.read(in));
      case CONFIG_CHANGE_MSG -> new ConfigChangeMsg();
      case VRING_HOST_NOTIFIER_MSG ->
          new VringHostNotifierMsg(VringDescriptor.of(in.getLong()), in.getLong(), in.getLong());
      case VRING_CALL -> new VringCall(in.getInt());
      case VRING_ERR -> new VringErr(in.getInt());
      case SHARED_OBJECT_ADD -> new SharedObjectAdd(FrontEndCodec.uuid(in));
      case SHARED_OBJECT_REMOVE -> new SharedObjectRemove(FrontEndCodec.uuid(in));
      case SHARED_OBJECT_LOOKUP -> new SharedObjectLookup(FrontEndCodec.uuid(in));
      case SHMEM_MAP -> new ShmemMap(SharedMapping.read(in));
      case SHMEM_UNMAP -> new ShmemUnmap(SharedMapping.read(in));
    };
  }

  /** The request's code. */
  public static BackEndCode code(BackEndMessage message) {
    return switch (message) {
      case IotlbMsg _ -> BackEndCode.IOTLB_MSG;
      case ConfigChangeMsg _ -> BackEndCode.CONFIG_CHANGE_MSG;
      case VringHostNotifierMsg _ -> BackEndCode.VRING_HOST_NOTIFIER_MSG;
      case VringCall _ -> BackEndCode.VRING_CALL;
      case VringErr _ -> BackEndCode.VRING_ERR;
      case SharedObjectAdd _ -> BackEndCode.SHARED_OBJECT_ADD;
      case SharedObjectRemove _ -> BackEndCode.SHARED_OBJECT_REMOVE;
      case SharedObjectLookup _ -> BackEndCode.SHARED_OBJECT_LOOKUP;
      case ShmemMap _ -> BackEndCode.SHMEM_MAP;
      case ShmemUnmap _ -> BackEndCode.SHMEM_UNMAP;
    };
  }

  /** Writes the payload at the buffer's position. */
  public static void write(BackEndMessage message, ByteBuffer out) {
    switch (message) {
      case IotlbMsg(var entry) -> entry.write(out);
      case ConfigChangeMsg() -> {}
      case VringHostNotifierMsg(var vring, long size, long offset) ->
          out.putLong(vring.word()).putLong(size).putLong(offset);
      case VringCall(int vring) -> out.putInt(vring).putInt(0);
      case VringErr(int vring) -> out.putInt(vring).putInt(0);
      case SharedObjectAdd(var uuid) -> FrontEndCodec.writeUuid(uuid, out);
      case SharedObjectRemove(var uuid) -> FrontEndCodec.writeUuid(uuid, out);
      case SharedObjectLookup(var uuid) -> FrontEndCodec.writeUuid(uuid, out);
      case ShmemMap(var mapping) -> mapping.write(out);
      case ShmemUnmap(var mapping) -> mapping.write(out);
    }
  }
}
