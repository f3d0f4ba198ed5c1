package hawser.devices.vsock;

import org.jspecify.annotations.Nullable;

/** What a packet is for, by its number (virtio, "Socket Device", "Operation"). */
enum Op {
  INVALID(0),
  REQUEST(1),
  RESPONSE(2),
  RST(3),
  SHUTDOWN(4),
  RW(5),
  CREDIT_UPDATE(6),
  CREDIT_REQUEST(7);

  /** SHUTDOWN: the sender will receive no more. */
  static final int SHUTDOWN_RCV = 1;

  /** SHUTDOWN: the sender will send no more. */
  static final int SHUTDOWN_SEND = 2;

  /** SHUTDOWN: both. */
  static final int SHUTDOWN_BOTH = 3;

  final int number;

  Op(int number) {
    this.number = number;
  }

  private static final Op[] ALL = values();

  static @Nullable Op of(int number) {
    return number >= 0 && number < ALL.length ? ALL[number] : null;
  }
}
