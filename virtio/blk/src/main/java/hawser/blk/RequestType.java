package hawser.blk;

/** What a request asks for (virtio 1.3, "Block Device", "Device Operation"). */
enum RequestType {
  IN,
  OUT,
  FLUSH,
  GET_ID,
  DISCARD,
  WRITE_ZEROES,
  /** One that this device does not serve. */
  UNKNOWN;

  static RequestType of(int number) {
    return switch (number) {
      case 0 -> IN;
      case 1 -> OUT;
      case 4 -> FLUSH;
      case 8 -> GET_ID;
      case 11 -> DISCARD;
      case 13 -> WRITE_ZEROES;
      default -> UNKNOWN;
    };
  }
}
