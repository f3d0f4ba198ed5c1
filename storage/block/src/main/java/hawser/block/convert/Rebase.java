package hawser.block.convert;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.block.BlockNode;
import hawser.block.Extent;
import hawser.block.ZeroBytes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Prepares an overlay for another backing file: what it reads from beneath and would read
 * differently from the new one is written into it. Afterwards the name of the backing file can be
 * changed without the disk's content changing. One object serves one run on one thread.
 */
public final class Rebase {
  private static final int REQUEST_BYTES = 2 << 20;

  private final BlockNode overlay;
  private final @Nullable BlockNode backing;
  private final long backingLength;
  private final int flags;
  private final long unit;

  /**
   * Prepares a run.
   *
   * @param overlay open for writing, over its old backing file
   * @param backing the new one; null when there is to be none
   * @param flags of the writes: 0 or {@link BlockNode#COMPRESSED}
   */
  public Rebase(BlockNode overlay, @Nullable BlockNode backing, int flags) throws BlockFault {
    this.overlay = overlay;
    this.backing = backing;
    this.backingLength = backing == null ? 0 : backing.length();
    this.flags = flags;
    this.unit = Math.max(512, overlay.limits().preferred());
  }

  /**
   * Copies what differs.
   *
   * @throws BlockFault the first failure; ECANCELED when the watcher asked to stop
   */
  public void run(Watcher watcher) throws BlockFault {
    long length = overlay.length();
    try (var arena = Arena.ofConfined()) {
      MemorySegment old = arena.allocate(REQUEST_BYTES, 4096);
      MemorySegment now = arena.allocate(REQUEST_BYTES, 4096);
      long at = 0;
      while (at < length) {
        watcher.progress(at, length);
        if (watcher.cancelled()) {
          throw new BlockFault(Errno.ECANCELED, "the rebase was cancelled");
        }
        Extent extent = overlay.extent(at, length - at);
        boolean own = extent.depth() == 0 && extent.kind().allocated();
        long end = extent.end();
        if (!own && !bothZero(extent)) {
          // Whole clusters: what lies beneath may change its state in the middle of one.
          long from = Ranges.alignDown(at, unit);
          end = Math.min(Math.min(length, Ranges.alignUp(end, unit)), from + REQUEST_BYTES);
          copy(old.asSlice(0, end - from), now.asSlice(0, end - from), from);
        }
        at = end;
      }
      watcher.progress(length, length);
    }
  }

  private boolean bothZero(Extent extent) throws BlockFault {
    if (!extent.kind().zero() || extent.offset() >= backingLength || backing == null) {
      return extent.kind().zero();
    }
    Extent below = backing.extent(extent.offset(), backingLength - extent.offset());
    return below.kind().zero() && below.end() >= extent.end();
  }

  private void copy(MemorySegment old, MemorySegment now, long offset) throws BlockFault {
    overlay.read(old, offset);
    long stored = Math.clamp(backingLength - offset, 0, now.byteSize());
    now.asSlice(stored).fill((byte) 0);
    if (backing != null && stored > 0) {
      backing.read(now.asSlice(0, stored), offset);
    }
    long at = 0;
    while (at < old.byteSize()) {
      long end = Math.min(old.byteSize(), Ranges.alignDown(offset + at, unit) + unit - offset);
      MemorySegment piece = old.asSlice(at, end - at);
      if (piece.mismatch(now.asSlice(at, end - at)) >= 0) {
        if (ZeroBytes.only(piece)) {
          overlay.writeZeroes(offset + at, end - at, 0);
        } else {
          overlay.write(piece, offset + at, flags);
        }
      }
      at = end;
    }
  }
}
