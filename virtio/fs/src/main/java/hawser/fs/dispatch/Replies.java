package hawser.fs.dispatch;

import hawser.base.Errno;
import hawser.base.Wire;
import hawser.fs.fuse.FuseReply;
import hawser.vhost.ring.Chain;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/** Where one thread makes its replies, each of which completes a chain. */
final class Replies {
  /** What a reply other than a listing needs at most. */
  private static final int REPLY_BYTES_MAX = 512;

  /** What WRITE is answered with (struct fuse_write_out). */
  private static final int COUNT_BYTES = 8;

  private final Consumer<String> log;
  private final MemorySegment reply;
  private final MemorySegment header;
  private final MemorySegment count;
  private final MemorySegment room;

  /** With room for {@code roomBytes} of content, besides what every reply needs. */
  Replies(Arena arena, int roomBytes, Consumer<String> log) {
    this.log = log;
    this.reply = arena.allocate(FuseReply.HEADER_BYTES + REPLY_BYTES_MAX, 8);
    this.header = reply.asSlice(0, FuseReply.HEADER_BYTES);
    this.count = reply.asSlice(0, FuseReply.HEADER_BYTES + COUNT_BYTES);
    this.room = arena.allocate(roomBytes, 8);
  }

  /** Room for content, until the next reply is made. */
  MemorySegment room() {
    return room;
  }

  /** A reply of a header alone: {@code result} is 0 or a negated error number. */
  void status(Chain chain, long unique, long result) {
    if (fits(chain, unique, FuseReply.HEADER_BYTES)) {
      FuseReply.writeHeader(header, FuseReply.HEADER_BYTES, (int) result, unique);
      send(chain, header, FuseReply.HEADER_BYTES);
    }
  }

  /** A reply to READ: so many bytes are in place, or a negated error number. */
  void read(Chain chain, long unique, long result) {
    if (result < 0) {
      status(chain, unique, result);
      return;
    }
    FuseReply.writeHeader(header, FuseReply.HEADER_BYTES + result, 0, unique);
    send(chain, header, FuseReply.HEADER_BYTES + result);
  }

  /** A reply to WRITE: so many bytes are written, or a negated error number. */
  void written(Chain chain, long unique, long result) {
    if (result < 0) {
      status(chain, unique, result);
    } else if (fits(chain, unique, count.byteSize())) {
      FuseReply.writeHeader(count, count.byteSize(), 0, unique);
      count.set(Wire.LE64, FuseReply.HEADER_BYTES, result);
      send(chain, count, count.byteSize());
    }
  }

  /** Any other reply. */
  void answer(Chain chain, long unique, FuseReply answer) {
    switch (answer) {
      case FuseReply.None _ -> chain.complete(0);
      case FuseReply.Failed(int errno) -> status(chain, unique, -errno);
      default -> content(chain, unique, answer);
    }
  }

  private void content(Chain chain, long unique, FuseReply answer) {
    long length = FuseReply.HEADER_BYTES + answer.bytes();
    if (!fits(chain, unique, length)) {
      return;
    }
    FuseReply.writeHeader(reply, length, 0, unique);
    if (answer instanceof FuseReply.Data(MemorySegment content)) {
      chain.write(FuseReply.HEADER_BYTES, content);
      send(chain, header, length);
    } else {
      answer.write(reply, FuseReply.HEADER_BYTES);
      send(chain, reply.asSlice(0, length), length);
    }
  }

  /** Whether there is room for a reply; the guest learns it when there is none. */
  private boolean fits(Chain chain, long unique, long length) {
    if (length <= chain.writableBytes()) {
      return true;
    }
    if (chain.writableBytes() < FuseReply.HEADER_BYTES) {
      chain.complete(0);
      return false;
    }
    log.accept(
        "a FUSE reply of %d bytes: there is room for %d".formatted(length, chain.writableBytes()));
    FuseReply.writeHeader(header, FuseReply.HEADER_BYTES, -Errno.EIO.number(), unique);
    send(chain, header, FuseReply.HEADER_BYTES);
    return false;
  }

  /** Writes the reply's first bytes, of {@code length} that the guest is told of. */
  private static void send(Chain chain, MemorySegment first, long length) {
    chain.write(0, first);
    chain.complete(length);
  }
}
