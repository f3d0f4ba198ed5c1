package hawser.nbd.server;

import hawser.base.BlockFault;
import hawser.base.Wire;
import hawser.block.DirtyBitmap;
import hawser.block.Extent;
import hawser.nbd.ChunkType;
import hawser.nbd.CommandFlags;
import hawser.nbd.MetaContext;
import hawser.nbd.NbdLimits;
import hawser.nbd.ReplyHeader;
import hawser.nbd.ReplyStyle;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Answers BLOCK_STATUS: one chunk per chosen context (proto.md, "NBD_CMD_BLOCK_STATUS").
 *
 * @param memory what long answers are made in; where it gives null, fewer extents are told, which
 *     the protocol allows
 */
record StatusReply(Export export, ReplyStyle style, IntFunction<@Nullable Buffer> memory) {
  /** The most bytes of extents that 32-bit replies can tell of in one entry. */
  private static final long RUN_MAX_32 = 0xFFFF_FFFFL & -65536L;

  /** Bytes of an answer that needs no shared memory. */
  private static final int SMALL_BYTES = 4096;

  /** The whole answer, as one native segment; may give the slot a buffer. */
  MemorySegment encode(Slot asked) throws BlockFault {
    long[] ids = asked.contextIds == null ? new long[0] : asked.contextIds;
    if (ids.length == 0) {
      MemorySegment empty = Arena.ofAuto().allocate(style.replyBytes(), 8);
      ReplyHeader.chunk(
          empty, 0, style, ChunkType.FLAG_DONE, ChunkType.NONE, asked.cookie, asked.offset, 0);
      return empty;
    }
    var all = new ArrayList<Runs>(ids.length);
    for (long id : ids) {
      all.add(runs(id, asked));
    }
    MemorySegment out = memoryFor(asked, all);
    long at = 0;
    for (int i = 0; i < ids.length; i++) {
      at = chunk(out, at, asked, ids[i], all.get(i), i == ids.length - 1);
    }
    return out;
  }

  private MemorySegment memoryFor(Slot asked, List<Runs> all) {
    long bytes = bytes(all);
    if (bytes > SMALL_BYTES) {
      Buffer taken = bytes <= NbdLimits.PAYLOAD_BYTES_MAX ? memory.apply((int) bytes) : null;
      if (taken != null) {
        asked.buffer = taken;
        return taken.data(bytes);
      }
      int most = Math.max(1, SMALL_BYTES / 16 / all.size());
      all.forEach(runs -> runs.cut(most));
    }
    return Arena.ofAuto().allocate(bytes(all), 8);
  }

  private long bytes(List<Runs> all) {
    return all.stream().mapToLong(runs -> style.replyBytes() + payload(runs)).sum();
  }

  private long payload(Runs runs) {
    return style == ReplyStyle.EXTENDED ? 8 + 16L * runs.count : 4 + 8L * runs.count;
  }

  /** Writes a context's chunk at an offset; where it ends. */
  private long chunk(MemorySegment out, long start, Slot asked, long id, Runs runs, boolean last) {
    boolean extended = style == ReplyStyle.EXTENDED;
    ReplyHeader.chunk(
        out,
        start,
        style,
        last ? ChunkType.FLAG_DONE : 0,
        extended ? ChunkType.BLOCK_STATUS_EXT : ChunkType.BLOCK_STATUS,
        asked.cookie,
        asked.offset,
        payload(runs));
    long at = start + style.replyBytes();
    out.set(Wire.BE32, at, (int) id);
    at += 4;
    if (extended) {
      out.set(Wire.BE32, at, runs.count);
      at += 4;
    }
    for (int i = 0; i < runs.count; i++) {
      if (extended) {
        out.set(Wire.BE64, at, runs.lengths[i]);
        out.set(Wire.BE64, at + 8, runs.flags[i]);
        at += 16;
      } else {
        out.set(Wire.BE32, at, (int) runs.lengths[i]);
        out.set(Wire.BE32, at + 4, (int) runs.flags[i]);
        at += 8;
      }
    }
    return at;
  }

  private Runs runs(long id, Slot asked) throws BlockFault {
    boolean one = (asked.flags & CommandFlags.REQ_ONE) != 0;
    var runs =
        new Runs(
            one ? 1 : NbdLimits.EXTENTS_MAX,
            style == ReplyStyle.EXTENDED ? Long.MAX_VALUE : RUN_MAX_32);
    long end = asked.offset + asked.length;
    if (id >= Export.FIRST_BITMAP_ID) {
      bitmap(export.bitmaps().get((int) id - Export.FIRST_BITMAP_ID), asked.offset, end, runs);
    } else {
      extents(id == Export.DEPTH_ID, asked.offset, end, runs);
    }
    return runs;
  }

  private void extents(boolean depth, long from, long end, Runs runs) throws BlockFault {
    long at = from;
    while (at < end && runs.room()) {
      Extent extent = export.node().extent(at, end - at);
      long length = Math.min(extent.length(), end - at);
      runs.add(length, depth ? depth(extent) : allocation(extent.kind()));
      at += length;
    }
  }

  private static void bitmap(DirtyBitmap bitmap, long from, long end, Runs runs) throws BlockFault {
    long at = from;
    while (at < end && runs.room()) {
      long next = bitmap.runEnd(at, end);
      runs.add(next - at, bitmap.dirtyAt(at) ? MetaContext.STATE_DIRTY : 0);
      at = next;
    }
  }

  private static long depth(Extent extent) {
    return extent.kind().allocated() ? extent.depth() + 1 : 0;
  }

  private static long allocation(Extent.Kind kind) {
    return switch (kind) {
      case DATA, COMPRESSED -> 0;
      case DATA_ZERO -> MetaContext.STATE_ZERO;
      case ZERO, ZERO_ALLOCATED, UNALLOCATED -> MetaContext.STATE_ZERO | MetaContext.STATE_HOLE;
    };
  }

  /** Lengths and flags, neighbours with equal flags joined. */
  private static final class Runs {
    private final int most;
    private final long longest;
    private long[] lengths = new long[16];
    private long[] flags = new long[16];
    private int count;
    private boolean full;

    Runs(int most, long longest) {
      this.most = most;
      this.longest = longest;
    }

    /** Forgets all but the first. */
    void cut(int few) {
      count = Math.min(count, few);
    }

    boolean room() {
      return !full;
    }

    void add(long length, long flag) {
      if (count > 0 && flags[count - 1] == flag) {
        long joined = lengths[count - 1] + length;
        lengths[count - 1] = Math.min(joined, longest);
        full |= joined > longest;
        return;
      }
      if (count == most) {
        full = true;
        return;
      }
      if (count == lengths.length) {
        lengths = Arrays.copyOf(lengths, count * 2);
        flags = Arrays.copyOf(flags, count * 2);
      }
      lengths[count] = Math.min(length, longest);
      flags[count] = flag;
      full |= length > longest;
      count++;
    }
  }
}
