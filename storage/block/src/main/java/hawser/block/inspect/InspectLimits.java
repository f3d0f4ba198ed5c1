package hawser.block.inspect;

/** How far an inspection looks, and from where on a claim is odd. */
public final class InspectLimits {
  /** A larger disk is odd, bytes: nobody gives one away. */
  public static final long VIRTUAL_BYTES = 64L << 40;

  /** A disk this many times as large as its file is odd, once it exceeds {@link #SMALL_BYTES}. */
  public static final long VIRTUAL_RATIO = 1L << 16;

  /** Below this a disk's size is never odd, bytes. */
  public static final long SMALL_BYTES = 1L << 40;

  /** Most snapshots and bitmaps whose entries are looked at; more are odd by themselves. */
  public static final int ENTRIES_LOOKED_AT = 64;

  /** Largest bitmap directory that is looked at, bytes. */
  public static final long BITMAP_DIRECTORY_BYTES = 1L << 20;

  private InspectLimits() {}
}
