package hawser.block;

import hawser.base.BlockFault;

/**
 * A record of which parts of a disk were written since some moment. Offsets and lengths are bytes.
 * Safe from any thread.
 */
public interface DirtyBitmap {
  /** Its name, unique within the disk; 1 to 1023 bytes of UTF-8. */
  String name();

  /** How many bytes one bit stands for; a power of two. */
  long granularity();

  /** Whether it records writes now. */
  boolean recording();

  /** Whether it was not saved cleanly, so that its content means nothing. */
  boolean inconsistent();

  /** Whether the byte at {@code offset} is dirty. */
  boolean dirtyAt(long offset) throws BlockFault;

  /**
   * The first byte after {@code offset} and before {@code end} that is not as the one at {@code
   * offset}, or {@code end}.
   */
  long runEnd(long offset, long end) throws BlockFault;
}
