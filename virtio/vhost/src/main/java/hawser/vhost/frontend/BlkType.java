package hawser.vhost.frontend;

/** The requests of virtio-blk (virtio, "Block Device", "Device Operation"). */
public enum BlkType {
  IN(0),
  OUT(1),
  FLUSH(4),
  GET_ID(8),
  GET_LIFETIME(10),
  DISCARD(11),
  WRITE_ZEROES(13),
  SECURE_ERASE(14),
  ZONE_APPEND(15),
  ZONE_REPORT(16),
  ZONE_OPEN(18),
  ZONE_CLOSE(20),
  ZONE_FINISH(22),
  ZONE_RESET(24),
  ZONE_RESET_ALL(26);

  /** Its number in the request's header. */
  public final int number;

  BlkType(int number) {
    this.number = number;
  }
}
