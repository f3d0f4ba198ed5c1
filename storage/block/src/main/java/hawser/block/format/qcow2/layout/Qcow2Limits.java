package hawser.block.format.qcow2.layout;

/**
 * What an image may claim before anything is allocated for it. Where the document sets no bound,
 * QEMU's is used, so that both accept the same images.
 */
public final class Qcow2Limits {
  /** Smallest cluster_bits: 512 bytes. */
  public static final int CLUSTER_BITS_MIN = 9;

  /** Largest cluster_bits: 2 MiB. */
  public static final int CLUSTER_BITS_MAX = 21;

  /** Smallest subcluster, bytes; clusters with extended L2 entries are 32 times that or more. */
  public static final int SUBCLUSTER_BYTES_MIN = 512;

  /** Largest active L1 table, bytes: 2 PiB of disk with 64 KiB clusters. */
  public static final long L1_BYTES_MAX = 32L << 20;

  /** Largest refcount table, bytes: 2 PiB of file with 64 KiB clusters. */
  public static final long REFCOUNT_TABLE_BYTES_MAX = 8L << 20;

  /** Most internal snapshots. */
  public static final int SNAPSHOTS_MAX = 65536;

  /** Largest snapshot table, bytes: 1 KiB for each of {@link #SNAPSHOTS_MAX}. */
  public static final long SNAPSHOT_TABLE_BYTES_MAX = 1024L * SNAPSHOTS_MAX;

  /** Most extra data of one snapshot, bytes. */
  public static final int SNAPSHOT_EXTRA_BYTES_MAX = 1024;

  /** Most persistent bitmaps. */
  public static final int BITMAPS_MAX = 65535;

  /** Largest bitmap directory, bytes. */
  public static final long BITMAP_DIRECTORY_BYTES_MAX = 1024L * BITMAPS_MAX;

  /** Longest name of a bitmap, bytes. */
  public static final int BITMAP_NAME_BYTES_MAX = 1023;

  /** Longest backing file name, bytes. */
  public static final int BACKING_NAME_BYTES_MAX = 1023;

  /** Longest backing format name plus one, bytes. */
  public static final int BACKING_FORMAT_BYTES_MAX = 16;

  /** Host offsets lie below this: table entries have 56 bits for them. */
  public static final long HOST_OFFSET_END = 1L << 56;

  private Qcow2Limits() {}
}
