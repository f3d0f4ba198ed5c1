package hawser.nbd.server;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.nbd.CommandFlags;
import hawser.nbd.ReplyHeader;
import hawser.nbd.ReplyStyle;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/**
 * Serves requests for which there is no memory left, a piece at a time through the connection's own
 * buffer, on the connection's own thread. Slower, but a client that asks for much while others hold
 * all the memory there is waits for none of them.
 *
 * @param buffer of {@link Buffer#ROOM} and {@link #PIECE_BYTES}; nothing else is in it meanwhile
 */
record Piecewise(MemorySegment buffer, NodeCalls calls, ReplyStyle style, ReplySender sender) {
  static final int PIECE_BYTES = 256 << 10;

  private MemorySegment piece(long done, long length) {
    return buffer.asSlice(Buffer.ROOM, Math.min(PIECE_BYTES, length - done));
  }

  /**
   * Whether the answer to a read is one header for all of its data. No other answer may come in
   * between then.
   */
  boolean answersWhole(int flags) {
    return style == ReplyStyle.SIMPLE || (flags & CommandFlags.DF) != 0;
  }

  /**
   * Reads and sends all of the answer.
   *
   * @throws BlockFault when an answer that tells of the error is still to be sent
   * @throws PeerFault when it is too late for that and the connection has to end (proto.md, "Simple
   *     reply message")
   */
  void read(int flags, long cookie, long offset, long length) throws BlockFault {
    boolean whole = answersWhole(flags);
    for (long done = 0; done < length; done += PIECE_BYTES) {
      MemorySegment data = piece(done, length);
      try {
        calls.node().read(data, offset + done);
      } catch (BlockFault e) {
        if (whole && done > 0) {
          throw new PeerFault("a read failed when half of it was sent: " + e.getMessage());
        }
        throw e;
      }
      int header = whole && done > 0 ? 0 : ReplyHeader.readBytes(style);
      int start = Buffer.ROOM - header;
      if (!whole) {
        boolean last = done + data.byteSize() == length;
        ReplyHeader.piece(
            buffer, start, style, cookie, offset, offset + done, data.byteSize(), last);
      } else if (done == 0) {
        ReplyHeader.read(buffer, start, style, cookie, offset, length);
      }
      sender.send(buffer.address() + start, header + data.byteSize());
    }
  }

  /**
   * Writes what a stream brings; takes all of it also after an error.
   *
   * @param next fills a segment with the next bytes of the stream
   */
  void write(int flags, long offset, long length, Consumer<MemorySegment> next) throws BlockFault {
    BlockFault failed = null;
    for (long done = 0; done < length; done += PIECE_BYTES) {
      MemorySegment data = piece(done, length);
      next.accept(data);
      if (failed == null) {
        try {
          calls.write(data, offset + done, flags);
        } catch (BlockFault e) {
          failed = e;
        }
      }
    }
    if (failed != null) {
      throw failed;
    }
  }

  /** Reads a range for the caches underneath. */
  void cache(long offset, long length) throws BlockFault {
    calls.cache(piece(0, length), offset, length);
  }
}
