package hawser.blk;

/** The features of a block device, as masks (virtio 1.3, "Block Device", "Feature bits"). */
public final class BlkFeature {
  /** {@code seg_max} tells how many pieces a request may have. */
  public static final long SEG_MAX = 1L << 2;

  /** The disk cannot be written to. */
  public static final long READ_ONLY = 1L << 5;

  /** {@code blk_size} tells the logical block size. */
  public static final long BLK_SIZE = 1L << 6;

  /** The driver may flush. */
  public static final long FLUSH = 1L << 9;

  /** Physical block size and best transfer sizes are told. */
  public static final long TOPOLOGY = 1L << 10;

  /** The driver may switch the write cache. */
  public static final long CONFIG_WCE = 1L << 11;

  /** {@code num_queues} tells how many virtqueues there are. */
  public static final long MQ = 1L << 12;

  /** The driver may give ranges back. */
  public static final long DISCARD = 1L << 13;

  /** The driver may zero ranges without data. */
  public static final long WRITE_ZEROES = 1L << 14;

  private BlkFeature() {}
}
