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

/** Answers BLOCK_STATUS: one chunk per chosen context (proto.md, "NBD_CMD_BLOCK_STATUS"). */
record StatusReply(Export export, ReplyStyle style) {
  /** The most bytes of extents that 32-bit replies can tell of in one entry. */
  private static final long RUN_MAX_32 = 0xFFFF_FFFFL & -65536L;

  /** The whole answer, as one native segment. */
  MemorySegment encode(Slot asked) throws BlockFault {
    long[] ids = asked.contextIds == null ? new long[0] : asked.contextIds;
    var parts = new ArrayList<MemorySegment>();
    long bytes = 0;
    for (int i = 0; i < ids.length; i++) {
      Runs runs = runs(ids[i], asked);
      MemorySegment part = chunk(asked, ids[i], runs, i == ids.length - 1);
      parts.add(part);
      bytes += part.byteSize();
    }
    if (ids.length == 0) {
      MemorySegment empty = Arena.ofAuto().allocate(style.replyBytes(), 8);
      ReplyHeader.chunk(
          empty, 0, style, ChunkType.FLAG_DONE, ChunkType.NONE, asked.cookie, asked.offset, 0);
      return empty;
    }
    return join(parts, bytes);
  }

  private static MemorySegment join(List<MemorySegment> parts, long bytes) {
    if (parts.size() == 1) {
      return parts.getFirst();
    }
    MemorySegment all = Arena.ofAuto().allocate(bytes, 8);
    long at = 0;
    for (MemorySegment part : parts) {
      MemorySegment.copy(part, 0, all, at, part.byteSize());
      at += part.byteSize();
    }
    return all;
  }

  private MemorySegment chunk(Slot asked, long id, Runs runs, boolean last) {
    boolean extended = style == ReplyStyle.EXTENDED;
    long payload = extended ? 8 + 16L * runs.count : 4 + 8L * runs.count;
    MemorySegment out = Arena.ofAuto().allocate(style.replyBytes() + payload, 8);
    ReplyHeader.chunk(
        out,
        0,
        style,
        last ? ChunkType.FLAG_DONE : 0,
        extended ? ChunkType.BLOCK_STATUS_EXT : ChunkType.BLOCK_STATUS,
        asked.cookie,
        asked.offset,
        payload);
    long at = style.replyBytes();
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
    return out;
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
