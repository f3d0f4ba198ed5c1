package hawser.nbd.server;

import hawser.block.ZeroBytes;
import hawser.nbd.CommandFlags;
import hawser.nbd.ReplyHeader;
import hawser.nbd.ReplyStyle;
import java.lang.foreign.MemorySegment;

/**
 * The answer to a read that went well, made around the data where it lies. Runs of zeroes leave as
 * holes, also those that were written, where the style and the client allow it (proto.md,
 * "NBD_REPLY_TYPE_OFFSET_HOLE").
 *
 * <p>One for each connection, not for each request: a steady load makes no objects.
 *
 * @param style of the connection's replies
 */
record ReadAnswer(ReplyStyle style) {
  /** Below this many bytes a hole saves nothing worth the look. */
  private static final int WHOLE_WORTH = 1024;

  /** Below this many bytes two more chunks cost the client more than the zeroes between them. */
  private static final int RUN_WORTH = 16 << 10;

  /** Zeroes are looked for in blocks of the disk of this size: a file system's. */
  private static final int BLOCK = 4096;

  /**
   * Puts headers to the data, and moves data that follows a hole to the front.
   *
   * @param at where the answer starts; the data lies {@link ReplyHeader#readBytes} behind it
   * @param flags of the request
   * @return the answer's length
   */
  int encode(MemorySegment out, long at, int flags, long cookie, long offset, int length) {
    long data = at + ReplyHeader.readBytes(style);
    if (style == ReplyStyle.SIMPLE || (flags & CommandFlags.DF) != 0 || length < WHOLE_WORTH) {
      ReplyHeader.read(out, at, style, cookie, offset, length);
      return (int) (data + length - at);
    }
    if (ZeroBytes.only(out, data, data + length)) {
      ReplyHeader.hole(out, at, style, cookie, offset, offset, length, true);
      return ReplyHeader.holeBytes(style);
    }
    return (int) (pieces(out, at, cookie, offset, length) - at);
  }

  /** What is written never reaches what is still to be read, for every hole is longer than that. */
  private long pieces(MemorySegment out, long at, long cookie, long offset, int length) {
    int header = ReplyHeader.readBytes(style);
    long data = at + header;
    long end = data + length;
    // What, added to a place in the segment, gives the place on the disk.
    long shift = offset - data;
    long write = at;
    long read = data;
    while (read < end) {
      long hole = end - read < RUN_WORTH ? end : nextHole(out, read, end, shift);
      if (hole > read) {
        if (write + header != read) {
          MemorySegment.copy(out, read, out, write + header, hole - read);
        }
        ReplyHeader.piece(
            out, write, style, cookie, offset, read + shift, hole - read, hole == end);
        write += header + hole - read;
        read = hole;
      } else {
        long after = afterZeroes(out, read, end, shift);
        ReplyHeader.hole(
            out, write, style, cookie, offset, read + shift, after - read, after == end);
        write += ReplyHeader.holeBytes(style);
        read = after;
      }
    }
    return write;
  }

  /** Where the next run of zeroes starts that is worth a hole, or the end. */
  private static long nextHole(MemorySegment out, long from, long end, long shift) {
    long at = from;
    while (end - at >= RUN_WORTH) {
      long after = afterZeroes(out, at, end, shift);
      if (after - at >= RUN_WORTH) {
        return at;
      }
      at = after == end ? end : nextBlock(after, shift);
    }
    return end;
  }

  /** The end of the zero blocks that start here. */
  private static long afterZeroes(MemorySegment out, long from, long end, long shift) {
    long at = from;
    while (at < end) {
      long next = Math.min(end, nextBlock(at, shift));
      if (!ZeroBytes.only(out, at, next)) {
        return at;
      }
      at = next;
    }
    return end;
  }

  private static long nextBlock(long at, long shift) {
    return at + BLOCK - ((at + shift) & (BLOCK - 1));
  }
}
