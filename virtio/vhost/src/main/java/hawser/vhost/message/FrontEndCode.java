package hawser.vhost.message;

import static hawser.vhost.message.MessageLimits.CONFIG_BYTES_MAX;
import static hawser.vhost.message.MessageLimits.TABLE_REGIONS_MAX;
import static hawser.vhost.message.ReplyRule.ALWAYS;
import static hawser.vhost.message.ReplyRule.WHEN_ASKED;
import static hawser.vhost.message.ReplyRule.WITH_LOG_SHMFD;

import hawser.base.PeerFault;
import hawser.vhost.message.FrontEndMessage.MemoryServed;
import org.jspecify.annotations.Nullable;

/**
 * What the front-end asks: number, sizes of the payload, descriptors, and when it is answered
 * (vhost-user, "Front-end message types").
 */
public enum FrontEndCode {
  GET_FEATURES(1, 0, 0, ALWAYS),
  SET_FEATURES(2, 8, 0, WHEN_ASKED),
  SET_OWNER(3, 0, 0, WHEN_ASKED),
  RESET_OWNER(4, 0, 0, WHEN_ASKED),
  SET_MEM_TABLE(5, 8, 8 + TABLE_REGIONS_MAX * MemoryRegion.BYTES, TABLE_REGIONS_MAX, WHEN_ASKED),
  SET_LOG_BASE(6, 16, 1, WITH_LOG_SHMFD),
  SET_LOG_FD(7, 0, 8, 1, WHEN_ASKED),
  SET_VRING_NUM(8, 8, 0, WHEN_ASKED),
  SET_VRING_ADDR(9, 40, 0, WHEN_ASKED),
  SET_VRING_BASE(10, 8, 0, WHEN_ASKED),
  GET_VRING_BASE(11, 8, 0, ALWAYS),
  SET_VRING_KICK(12, 8, 1, WHEN_ASKED),
  SET_VRING_CALL(13, 8, 1, WHEN_ASKED),
  SET_VRING_ERR(14, 8, 1, WHEN_ASKED),
  GET_PROTOCOL_FEATURES(15, 0, 0, ALWAYS),
  SET_PROTOCOL_FEATURES(16, 8, 0, WHEN_ASKED),
  GET_QUEUE_NUM(17, 0, 0, ALWAYS),
  SET_VRING_ENABLE(18, 8, 0, WHEN_ASKED),
  SEND_RARP(19, 8, 0, WHEN_ASKED),
  NET_SET_MTU(20, 8, 0, WHEN_ASKED),
  SET_BACKEND_REQ_FD(21, 0, 8, 1, WHEN_ASKED),
  IOTLB_MSG(22, IotlbEntry.BYTES_MIN, IotlbEntry.BYTES, 0, ALWAYS),
  SET_VRING_ENDIAN(23, 8, 0, WHEN_ASKED),
  GET_CONFIG(24, 12, 12 + CONFIG_BYTES_MAX, 0, ALWAYS),
  SET_CONFIG(25, 12, 12 + CONFIG_BYTES_MAX, 0, WHEN_ASKED),
  CREATE_CRYPTO_SESSION(26, 0, MessageLimits.PAYLOAD_BYTES_MAX, 0, ALWAYS),
  CLOSE_CRYPTO_SESSION(27, 8, 0, WHEN_ASKED),
  POSTCOPY_ADVISE(28, 0, 0, ALWAYS),
  POSTCOPY_LISTEN(29, 0, 0, WHEN_ASKED),
  POSTCOPY_END(30, 0, 0, ALWAYS),
  GET_INFLIGHT_FD(31, InflightArea.BYTES_MIN, InflightArea.BYTES, 0, ALWAYS),
  SET_INFLIGHT_FD(32, InflightArea.BYTES_MIN, InflightArea.BYTES, 1, WHEN_ASKED),
  GPU_SET_SOCKET(33, 0, 8, 1, WHEN_ASKED),
  RESET_DEVICE(34, 0, 0, WHEN_ASKED),
  VRING_KICK(35, 8, 0, WHEN_ASKED),
  GET_MAX_MEM_SLOTS(36, 0, 0, ALWAYS),
  ADD_MEM_REG(37, MemoryServed.BYTES, 8 + MemoryRegion.BYTES, 1, WHEN_ASKED),
  REM_MEM_REG(38, MemoryServed.BYTES, 8 + MemoryRegion.BYTES, 1, WHEN_ASKED),
  SET_STATUS(39, 8, 0, WHEN_ASKED),
  GET_STATUS(40, 0, 0, ALWAYS),
  GET_SHARED_OBJECT(41, 16, 0, ALWAYS),
  SET_DEVICE_STATE_FD(42, 8, 1, ALWAYS),
  CHECK_DEVICE_STATE(43, 0, 0, ALWAYS),
  GET_SHMEM_CONFIG(44, 0, 0, ALWAYS);

  private static final @Nullable FrontEndCode[] BY_NUMBER = new FrontEndCode[45];

  static {
    for (FrontEndCode code : values()) {
      BY_NUMBER[code.number] = code;
    }
  }

  /** The request's number in the header. */
  public final int number;

  /** The fewest bytes of payload. */
  public final int payloadMin;

  /** The most bytes of payload. */
  public final int payloadMax;

  /** The most descriptors that may come with it. */
  public final int descriptorsMax;

  /** When it is answered. */
  public final ReplyRule reply;

  FrontEndCode(int number, int payload, int descriptorsMax, ReplyRule reply) {
    this(number, payload, payload, descriptorsMax, reply);
  }

  FrontEndCode(int number, int payloadMin, int payloadMax, int descriptorsMax, ReplyRule reply) {
    this.number = number;
    this.payloadMin = payloadMin;
    this.payloadMax = payloadMax;
    this.descriptorsMax = descriptorsMax;
    this.reply = reply;
  }

  /** The request of that number, or null for one that this vocabulary does not have. */
  public static @Nullable FrontEndCode of(int number) {
    return number > 0 && number < BY_NUMBER.length ? BY_NUMBER[number] : null;
  }

  /** Checks what came with the header against this request's limits. */
  public void check(int payload, int descriptors) {
    if (payload < payloadMin || payload > payloadMax) {
      throw new PeerFault(
          "%s: size is %d, not %d to %d".formatted(this, payload, payloadMin, payloadMax));
    }
    if (descriptors > descriptorsMax) {
      throw new PeerFault(
          "%s: %d descriptors came with it, more than %d"
              .formatted(this, descriptors, descriptorsMax));
    }
  }
}
