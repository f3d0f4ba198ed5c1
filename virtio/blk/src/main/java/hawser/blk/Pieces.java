package hawser.blk;

import hawser.sys.HostMemory;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Segments of guest memory by address. Guests use the same buffers again and again, so that most
 * requests get by without a new object. Belongs to one thread.
 */
final class Pieces {
  private static final int COUNT = 1024;

  private final @Nullable MemorySegment[] known = new MemorySegment[COUNT];

  /** The memory there; whoever asks answers for it. */
  MemorySegment at(long address, long bytes) {
    int place = (int) (address >>> 9 ^ address >>> 19) & COUNT - 1;
    MemorySegment piece = known[place];
    if (piece == null || piece.address() != address || piece.byteSize() != bytes) {
      piece = HostMemory.at(address, bytes);
      known[place] = piece;
    }
    return piece;
  }
}
