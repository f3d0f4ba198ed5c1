package hawser.nbd.client;

import hawser.base.PeerFault;
import hawser.base.Wire;
import hawser.nbd.ChunkType;
import hawser.nbd.Command;
import hawser.nbd.Magic;
import hawser.nbd.MetaContext;
import hawser.nbd.NbdLimits;
import hawser.nbd.ReplyStyle;
import hawser.nbd.transport.Transport;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/**
 * Reads replies and puts what they carry where it belongs, after checking every claim. Small
 * replies are taken many at a time; data goes straight into the reader's memory. Used by one thread
 * at a time.
 */
final class ReplyReader implements AutoCloseable {
  private static final int BUFFER = 64 << 10;

  /** Finds the exchange that a cookie belongs to. */
  interface Lookup {
    /** The exchange; never null. */
    Exchange exchange(long cookie);

    /** The answer to it is complete. */
    void finished(Exchange exchange);
  }

  private final Transport transport;
  private final ServerInfo server;
  private final Lookup lookup;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment in = arena.allocate(BUFFER, 4096);
  private int start;
  private int end;

  ReplyReader(Transport transport, ServerInfo server, Lookup lookup) {
    this.transport = transport;
    this.server = server;
    this.lookup = lookup;
  }

  /** Whether a reply can be read without asking the system. */
  boolean hasBuffered() {
    return end - start >= 16;
  }

  /** Reads one simple reply or one chunk. */
  void readOne() {
    need(4);
    int magic = in.get(Wire.BE32, start);
    switch (magic) {
      case Magic.SIMPLE_REPLY -> simple();
      case Magic.STRUCTURED_REPLY -> {
        expect(ReplyStyle.STRUCTURED, magic);
        need(20);
        chunk(
            in.get(Wire.BE64, start + 8),
            Integer.toUnsignedLong(in.get(Wire.BE32, start + 16)),
            20);
      }
      case Magic.EXTENDED_REPLY -> {
        expect(ReplyStyle.EXTENDED, magic);
        need(32);
        chunk(in.get(Wire.BE64, start + 8), in.get(Wire.BE64, start + 24), 32);
      }
      default -> throw new PeerFault("invalid magic (got 0x%x)".formatted(magic));
    }
  }

  private void expect(ReplyStyle style, int magic) {
    if (server.style() != style) {
      throw new PeerFault("unexpected structured reply (magic 0x%x)".formatted(magic));
    }
  }

  private void simple() {
    need(16);
    int error = in.get(Wire.BE32, start + 4);
    Exchange exchange = lookup.exchange(in.get(Wire.BE64, start + 8));
    boolean chunked = exchange.command == Command.READ || exchange.command == Command.BLOCK_STATUS;
    if (server.style() == ReplyStyle.EXTENDED
        || (server.style() == ReplyStyle.STRUCTURED && chunked)) {
      throw new PeerFault("Protocol error: simple reply when structured reply chunk was expected");
    }
    start += 16;
    if (error != 0) {
      exchange.error(error, "");
    } else if (exchange.command == Command.READ) {
      if (exchange.length > 0) {
        exchange.cover(exchange.offset, exchange.length);
        fill(exchange.data);
      }
    }
    finish(exchange);
  }

  private void finish(Exchange exchange) {
    exchange.checkCovered();
    lookup.finished(exchange);
    exchange.finish();
  }

  private void chunk(long cookie, long length, int header) {
    int flags = Short.toUnsignedInt(in.get(Wire.BE16, start + 4));
    int type = Short.toUnsignedInt(in.get(Wire.BE16, start + 6));
    Exchange exchange = lookup.exchange(cookie);
    start += header;
    boolean last = (flags & ChunkType.FLAG_DONE) != 0;
    switch (type) {
      case ChunkType.NONE -> none(length, last);
      case ChunkType.OFFSET_DATA -> data(exchange, length);
      case ChunkType.OFFSET_HOLE -> hole(exchange, length);
      case ChunkType.BLOCK_STATUS -> status(exchange, length, false);
      case ChunkType.BLOCK_STATUS_EXT -> status(exchange, length, true);
      default -> error(exchange, type, length);
    }
    if (last) {
      finish(exchange);
    }
  }

  private static void none(long length, boolean last) {
    if (!last) {
      throw new PeerFault(
          "Protocol error: NBD_REPLY_TYPE_NONE chunk without NBD_REPLY_FLAG_DONE flag set");
    }
    if (length != 0) {
      throw new PeerFault("Protocol error: NBD_REPLY_TYPE_NONE chunk with nonzero length");
    }
  }

  private void data(Exchange exchange, long length) {
    if (exchange.command != Command.READ) {
      throw new PeerFault("Unexpected NBD_REPLY_TYPE_OFFSET_DATA chunk");
    }
    if (length <= 8 || length - 8 > exchange.length) {
      throw new PeerFault("Protocol error: invalid payload for NBD_REPLY_TYPE_OFFSET_DATA");
    }
    need(8);
    long offset = in.get(Wire.BE64, start);
    start += 8;
    exchange.cover(offset, length - 8);
    boolean whole = length - 8 == exchange.length;
    fill(whole ? exchange.data : exchange.data.asSlice(offset - exchange.offset, length - 8));
  }

  private void hole(Exchange exchange, long length) {
    if (exchange.command != Command.READ || length != 12) {
      throw new PeerFault("Protocol error: invalid payload for NBD_REPLY_TYPE_OFFSET_HOLE");
    }
    need(12);
    long offset = in.get(Wire.BE64, start);
    long bytes = Integer.toUnsignedLong(in.get(Wire.BE32, start + 8));
    start += 12;
    exchange.cover(offset, bytes);
    exchange.data.asSlice(offset - exchange.offset, bytes).fill((byte) 0);
  }

  private void status(Exchange exchange, long length, boolean extended) {
    StatusSink sink = exchange.sink;
    int head = extended ? 8 : 4;
    int entry = extended ? 16 : 8;
    if (sink == null
        || extended != (server.style() == ReplyStyle.EXTENDED)
        || length < head + entry
        || (length - head) % entry != 0
        || (length - head) / entry > 1 << 20) {
      throw new PeerFault("Protocol error: invalid payload for NBD_REPLY_TYPE_BLOCK_STATUS");
    }
    need(head);
    int context = in.get(Wire.BE32, start);
    long count = (length - head) / entry;
    if (!agreed(context) || (extended && in.get(Wire.BE32, start + 4) != count)) {
      throw new PeerFault(
          "Protocol error: unexpected context id %d for NBD_REPLY_TYPE_BLOCK_STATUS, or wrong count"
              .formatted(context));
    }
    start += head;
    for (long i = 0; i < count; i++) {
      need(entry);
      long bytes =
          extended ? in.get(Wire.BE64, start) : Integer.toUnsignedLong(in.get(Wire.BE32, start));
      long flags =
          extended
              ? in.get(Wire.BE64, start + 8)
              : Integer.toUnsignedLong(in.get(Wire.BE32, start + 4));
      start += entry;
      if (bytes <= 0) {
        throw new PeerFault("Protocol error: server sent status chunk with zero length");
      }
      sink.extent(context, bytes, flags);
    }
  }

  private boolean agreed(int id) {
    for (MetaContext context : server.contexts()) {
      if (context.id() == id) {
        return true;
      }
    }
    return false;
  }

  private void error(Exchange exchange, int type, long length) {
    if ((type & ChunkType.ERROR_BIT) == 0) {
      throw new PeerFault("reply chunk type " + type + " is not known");
    }
    if (length < 6 || length > 14 + NbdLimits.STRING_BYTES_MAX) {
      throw new PeerFault(
          "Protocol error: server sent structured error chunk with invalid length " + length);
    }
    need((int) length);
    int number = in.get(Wire.BE32, start);
    int text = Short.toUnsignedInt(in.get(Wire.BE16, start + 4));
    if (number == 0) {
      throw new PeerFault("Protocol error: server sent structured error chunk with error = 0");
    }
    if (text > length - 6) {
      throw new PeerFault(
          "Protocol error: server sent structured error chunk with incorrect message size");
    }
    var words = new byte[text];
    MemorySegment.copy(in, ValueLayout.JAVA_BYTE, start + 6L, words, 0, text);
    start += (int) length;
    exchange.error(number, new String(words, StandardCharsets.UTF_8).replaceAll("\\p{Cntrl}", "?"));
  }

  /** Makes sure that so many bytes are in the buffer. */
  private void need(int bytes) {
    while (end - start < bytes) {
      if (start == end) {
        start = 0;
        end = 0;
      } else if (BUFFER - start < bytes) {
        MemorySegment.copy(in, start, in, 0, end - start);
        end -= start;
        start = 0;
      }
      long count = transport.receive(end == 0 ? in : in.asSlice(end));
      if (count == 0) {
        throw new PeerFault("server dropped connection");
      }
      end += (int) count;
    }
  }

  private void fill(MemorySegment into) {
    long bytes = into.byteSize();
    long done = Math.min(bytes, end - start);
    MemorySegment.copy(in, start, into, 0, done);
    start += (int) done;
    while (done < bytes) {
      long count = transport.receive(done == 0 ? into : into.asSlice(done));
      if (count == 0) {
        throw new PeerFault("server dropped connection");
      }
      done += count;
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}
