package hawser.nbd.server;

import hawser.base.BlockFault;

/** A dirty bitmap that an export shows as {@code qemu:dirty-bitmap:NAME}. Safe from any thread. */
public interface Bitmap {
  /** Its name, without the prefix. */
  String name();

  /** Whether the byte at {@code offset} is dirty. */
  boolean dirtyAt(long offset) throws BlockFault;

  /**
   * The first byte after {@code offset} and before {@code end} that is not as the one at {@code
   * offset}, or {@code end}.
   */
  long runEnd(long offset, long end) throws BlockFault;
}
