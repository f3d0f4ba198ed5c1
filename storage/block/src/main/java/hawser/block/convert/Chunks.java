package hawser.block.convert;

import hawser.base.BlockFault;
import hawser.base.Ranges;
import hawser.block.Extent;
import hawser.block.convert.Chunk.Action;
import org.jspecify.annotations.Nullable;

/**
 * Cuts the source into chunks by its extents. Ranges that need no work are passed over here, so
 * that workers never see them. One thread at a time.
 */
final class Chunks {
  private static final int SECTOR = 512;

  private final Conversion how;
  private final Watcher watcher;
  private final long length;
  private final long chunkBytes;
  private final long unit;

  private long at;
  private long turn;
  private long statusEnd;
  private Action status = Action.SKIP;

  /**
   * @param length bytes to deal with, from 0
   * @param chunkBytes the most a COPY chunk holds; a multiple of {@code unit}
   * @param unit chunks begin and end at multiples of this: the target's cluster
   */
  Chunks(Conversion how, Watcher watcher, long length, long chunkBytes, long unit) {
    this.how = how;
    this.watcher = watcher;
    this.length = length;
    this.chunkBytes = chunkBytes;
    this.unit = unit;
  }

  /** How far the source has been handed out. */
  long position() {
    return at;
  }

  /** The next chunk that needs work, or null at the end. */
  @Nullable Chunk next() throws BlockFault {
    while (at < length) {
      if (at >= statusEnd) {
        learnStatus();
      }
      Action action = status;
      long end = statusEnd;
      if (action == Action.COPY) {
        end = Math.min(end, Ranges.alignDown(at, unit) + chunkBytes);
      }
      // A cluster that two extents share is copied whole.
      long whole = end == length ? end : Ranges.alignDown(end, unit);
      if (whole <= at) {
        action = Action.COPY;
        whole = Math.min(length, Ranges.alignDown(at, unit) + unit);
      }
      var chunk = new Chunk(turn, at, whole - at, action);
      at = whole;
      if (action != Action.SKIP) {
        turn++;
        return chunk;
      }
    }
    return null;
  }

  private void learnStatus() throws BlockFault {
    long left = Math.min(length - at, how.source.length() - at);
    if (how.overBacking && at < how.backingLength) {
      left = Math.min(left, how.backingLength - at);
    }
    Extent extent = statusOf(left);
    status = actionFor(extent);
    statusEnd = Math.min(length, extent.end());
    // The source's last sector may be half there; the target's is whole.
    if (statusEnd == how.source.length()) {
      statusEnd = Math.min(length, Ranges.alignUp(statusEnd, SECTOR));
    }
  }

  private Extent statusOf(long left) throws BlockFault {
    long wanted = left;
    while (true) {
      try {
        return how.source.extent(at, wanted);
      } catch (BlockFault fault) {
        if (!how.salvage) {
          throw new BlockFault(
              fault.errno(),
              "error while reading block status at offset %d: %s"
                  .formatted(at, fault.errno().text()),
              fault);
        }
        if (wanted <= SECTOR) {
          watcher.warn(
              "error while reading block status at offset %d: %s"
                  .formatted(at, fault.errno().text()));
          return Extent.of(at, wanted, Extent.Kind.DATA);
        }
        wanted = Math.max(SECTOR, Ranges.alignDown(wanted / 4, SECTOR));
      }
    }
  }

  private Action actionFor(Extent extent) {
    boolean pastBacking = how.overBacking && at >= how.backingLength;
    if (how.overBacking && (extent.depth() > 0 || !extent.kind().allocated())) {
      return pastBacking && !extent.kind().zero() ? Action.COPY : Action.SKIP;
    }
    if (!extent.kind().zero()) {
      return Action.COPY;
    }
    if (pastBacking || (how.targetReadsZero && how.sparse > 0)) {
      return Action.SKIP;
    }
    return how.sparse == 0 ? Action.COPY : Action.ZERO;
  }
}
