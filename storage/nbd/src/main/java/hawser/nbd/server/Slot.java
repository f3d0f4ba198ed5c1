package hawser.nbd.server;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.nbd.Command;
import hawser.nbd.NbdError;
import hawser.nbd.ReplyHeader;
import hawser.sys.Iovecs;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * One request that a worker serves: what was asked, the memory of its data, and its reply. Used
 * again and again. Filled by the receiving thread, then owned by a worker until released.
 */
final class Slot implements Runnable {
  /** Which of its connection's slots it is, from 0. */
  final int index;

  private final Transmission owner;
  private final MemorySegment small = Arena.ofAuto().allocate(64, 8);
  Command command = Command.UNKNOWN;
  int flags;
  long cookie;
  long offset;
  long length;
  long @Nullable [] contextIds;
  @Nullable Buffer buffer;

  /** What {@link hawser.block.DirectFile#beginWrite} gave. */
  long writeNumber;

  private long replyAddress;
  private long replyBytes;
  private @Nullable MemorySegment ownReply;

  Slot(Transmission owner, int index) {
    this.owner = owner;
    this.index = index;
  }

  @Override
  public void run() {
    boolean served = false;
    try {
      serve();
      served = true;
    } finally {
      if (!served) {
        // A defect of ours or of a node; the thread's handler reports it, the client must not wait.
        owner.broken(new PeerFault("request " + command + " failed inside the server"));
        release();
      }
    }
    try {
      owner.sender().finish(this);
    } catch (PeerFault e) {
      owner.broken(e);
    }
  }

  private void serve() {
    try {
      switch (command) {
        case READ -> read();
        case BLOCK_STATUS ->
            own(new StatusReply(owner.export(), owner.style(), owner::takeNow).encode(this));
        default -> {
          change();
          reply();
        }
      }
    } catch (BlockFault e) {
      fail(NbdError.of(e.errno()), e.getMessage());
    }
  }

  private Buffer buffer() {
    Buffer held = buffer;
    if (held == null) {
      throw new AssertionError(command + " without a buffer");
    }
    return held;
  }

  private void read() throws BlockFault {
    owner.export().node().read(data(), offset);
    reply();
  }

  /** The data of a read or a write; one of nothing needs no memory. */
  MemorySegment data() {
    return length == 0 ? MemorySegment.NULL : buffer().data(length);
  }

  /** Makes the reply of a request that went well. */
  void reply() {
    if (command != Command.READ) {
      replySmall(ReplyHeader.done(small, 0, owner.style(), command, cookie, offset));
      return;
    }
    Buffer held = buffer();
    ReadAnswer answer = owner.readAnswer();
    int start = Buffer.ROOM - ReplyHeader.readBytes(answer.style());
    replyAddress = held.whole().address() + start;
    replyBytes = answer.encode(held.whole(), start, flags, cookie, offset, (int) length);
  }

  private void change() throws BlockFault {
    NodeCalls calls = owner.calls();
    switch (command) {
      case WRITE -> calls.write(data(), offset, flags);
      case FLUSH -> calls.flush();
      case TRIM -> calls.trim(offset, length, flags);
      case WRITE_ZEROES -> calls.writeZeroes(offset, length, flags);
      case CACHE -> calls.cache(buffer().data(Transmission.cacheBytes(length)), offset, length);
      case READ, DISC, BLOCK_STATUS, UNKNOWN -> throw new AssertionError(command);
    }
  }

  void fail(NbdError error, String why) {
    MemorySegment reply = Arena.ofAuto().allocate(ReplyHeader.ERROR_BYTES_MAX, 8);
    int bytes =
        ReplyHeader.error(
            reply,
            0,
            owner.style(),
            command,
            cookie,
            offset,
            error,
            why.getBytes(StandardCharsets.UTF_8));
    own(reply.asSlice(0, bytes));
  }

  /** Keeps a reply of unusual size alive until it is sent. */
  private void own(MemorySegment reply) {
    ownReply = reply;
  }

  private void replySmall(int bytes) {
    replyAddress = small.address();
    replyBytes = bytes;
  }

  void addReply(Iovecs pieces) {
    MemorySegment own = ownReply;
    if (own != null) {
      pieces.add(own);
    } else {
      pieces.add(replyAddress, replyBytes);
    }
  }

  /** Gives the memory back and lets the slot be used again. */
  void release() {
    Buffer held = buffer;
    buffer = null;
    ownReply = null;
    contextIds = null;
    if (held != null) {
      owner.give(held);
    }
    owner.slots().give(this);
  }
}
