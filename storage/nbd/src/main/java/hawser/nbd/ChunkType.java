package hawser.nbd;

/** What a reply chunk carries (proto.md, "Structured reply types"). */
public final class ChunkType {
  /** Flag, not a type: the last chunk of its reply. */
  public static final int FLAG_DONE = 1;

  /** No payload. */
  public static final int NONE = 0;

  /** u64 offset, then data. */
  public static final int OFFSET_DATA = 1;

  /** u64 offset, u32 length of zeroes. */
  public static final int OFFSET_HOLE = 2;

  /** u32 context, then pairs of u32 length and flags. */
  public static final int BLOCK_STATUS = 5;

  /** u32 context, u32 count, then pairs of u64 length and flags. */
  public static final int BLOCK_STATUS_EXT = 6;

  /** Types with this bit report an error. */
  public static final int ERROR_BIT = 1 << 15;

  /** u32 error, u16 length, text. */
  public static final int ERROR = ERROR_BIT + 1;

  /** As {@link #ERROR}, then the u64 offset. */
  public static final int ERROR_OFFSET = ERROR_BIT + 2;

  private ChunkType() {}
}
