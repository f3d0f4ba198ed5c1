package hawser.fs.dispatch;

import hawser.fs.fuse.RequestHeader;
import java.lang.foreign.MemorySegment;

/** One request on its way: who asks, room for the answer, and whether it is still wanted. */
public final class Call {
  private final RequestHeader header;
  private final MemorySegment room;
  private volatile boolean interrupted;

  Call(RequestHeader header, MemorySegment room) {
    this.header = header;
    this.room = room;
  }

  /** Who asks, and about which inode. */
  public RequestHeader header() {
    return header;
  }

  /**
   * Native memory for an answer of many bytes, this thread's until the next call: at least as much
   * as the guest has room for, up to {@link FuseQueue#ANSWER_BYTES_MAX}.
   */
  public MemorySegment room() {
    return room;
  }

  /** Whether the guest wants the request to end (INTERRUPT). */
  public boolean interrupted() {
    return interrupted;
  }

  void interrupt() {
    interrupted = true;
  }
}
