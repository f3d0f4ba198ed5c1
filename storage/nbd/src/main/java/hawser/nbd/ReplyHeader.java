package hawser.nbd;

import hawser.base.Wire;
import java.lang.foreign.MemorySegment;

/** Writes the fixed part of replies at an offset of a segment (proto.md, "Structured replies"). */
public final class ReplyHeader {
  private ReplyHeader() {}

  /** A simple reply; {@code error} 0 is success. */
  public static void simple(MemorySegment out, long at, int error, long cookie) {
    out.set(Wire.BE32, at, Magic.SIMPLE_REPLY);
    out.set(Wire.BE32, at + 4, error);
    out.set(Wire.BE64, at + 8, cookie);
  }

  /**
   * A chunk of either style.
   *
   * @param offset of the request; only extended headers carry it
   * @param payload bytes that follow
   */
  public static void chunk(
      MemorySegment out,
      long at,
      ReplyStyle style,
      int flags,
      int type,
      long cookie,
      long offset,
      long payload) {
    boolean extended = style == ReplyStyle.EXTENDED;
    out.set(Wire.BE32, at, extended ? Magic.EXTENDED_REPLY : Magic.STRUCTURED_REPLY);
    out.set(Wire.BE16, at + 4, (short) flags);
    out.set(Wire.BE16, at + 6, (short) type);
    out.set(Wire.BE64, at + 8, cookie);
    if (extended) {
      out.set(Wire.BE64, at + 16, offset);
      out.set(Wire.BE64, at + 24, payload);
    } else {
      out.set(Wire.BE32, at + 16, (int) payload);
    }
  }

  /** Bytes in front of the data of a successful read. */
  public static int readBytes(ReplyStyle style) {
    return style == ReplyStyle.SIMPLE ? 16 : style.replyBytes() + 8;
  }

  /** All that stands in front of the data of a successful read answered in one piece. */
  public static void read(
      MemorySegment out, long at, ReplyStyle style, long cookie, long offset, long length) {
    if (style == ReplyStyle.SIMPLE) {
      simple(out, at, 0, cookie);
      return;
    }
    piece(out, at, style, cookie, offset, offset, length, true);
  }

  /**
   * What stands in front of one of several pieces of data of a read. Not for simple replies.
   *
   * @param offset of the request
   * @param from where the piece is on the disk
   * @param last whether it ends the answer
   */
  public static void piece(
      MemorySegment out,
      long at,
      ReplyStyle style,
      long cookie,
      long offset,
      long from,
      long length,
      boolean last) {
    int flags = last ? ChunkType.FLAG_DONE : 0;
    chunk(out, at, style, flags, ChunkType.OFFSET_DATA, cookie, offset, length + 8);
    out.set(Wire.BE64, at + style.replyBytes(), from);
  }

  /** Bytes of a hole, which has no data behind it. */
  public static int holeBytes(ReplyStyle style) {
    return style.replyBytes() + 12;
  }

  /**
   * A piece of a read that is all zeroes. Not for simple replies; the parameters are those of
   * {@link #piece}.
   */
  public static void hole(
      MemorySegment out,
      long at,
      ReplyStyle style,
      long cookie,
      long offset,
      long from,
      long length,
      boolean last) {
    int flags = last ? ChunkType.FLAG_DONE : 0;
    chunk(out, at, style, flags, ChunkType.OFFSET_HOLE, cookie, offset, 12);
    out.set(Wire.BE64, at + style.replyBytes(), from);
    out.set(Wire.BE32, at + style.replyBytes() + 8, (int) length);
  }

  /**
   * The answer to a request that has no data: a simple reply where the style has those for it,
   * otherwise an empty last chunk.
   */
  public static int done(
      MemorySegment out, long at, ReplyStyle style, Command command, long cookie, long offset) {
    if (style == ReplyStyle.SIMPLE || (style == ReplyStyle.STRUCTURED && !chunked(command))) {
      simple(out, at, 0, cookie);
      return 16;
    }
    chunk(out, at, style, ChunkType.FLAG_DONE, ChunkType.NONE, cookie, offset, 0);
    return style.replyBytes();
  }

  /** Bytes of an error answer at most, with its text. */
  public static final int ERROR_BYTES_MAX = 32 + 6 + NbdLimits.STRING_BYTES_MAX;

  /** An answer that refuses, with words for people where the style has room; its length. */
  public static int error(
      MemorySegment out,
      long at,
      ReplyStyle style,
      Command command,
      long cookie,
      long offset,
      NbdError error,
      byte[] text) {
    if (style == ReplyStyle.SIMPLE || (style == ReplyStyle.STRUCTURED && !chunked(command))) {
      simple(out, at, error.number(), cookie);
      return 16;
    }
    int length = Math.min(text.length, NbdLimits.STRING_BYTES_MAX);
    chunk(out, at, style, ChunkType.FLAG_DONE, ChunkType.ERROR, cookie, offset, 6L + length);
    long payload = at + style.replyBytes();
    out.set(Wire.BE32, payload, error.number());
    out.set(Wire.BE16, payload + 4, (short) length);
    MemorySegment.copy(MemorySegment.ofArray(text), 0, out, payload + 6, length);
    return style.replyBytes() + 6 + length;
  }

  private static boolean chunked(Command command) {
    return command == Command.READ || command == Command.BLOCK_STATUS;
  }
}
