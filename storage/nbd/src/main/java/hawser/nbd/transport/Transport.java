package hawser.nbd.transport;

import hawser.sys.MessageHeader;
import java.lang.foreign.MemorySegment;

/**
 * A stream of bytes to one peer. One thread may receive while another sends; several that send, or
 * several that receive, take turns outside. A broken stream is a {@link hawser.base.PeerFault}.
 */
public interface Transport extends AutoCloseable {
  /** Waits for bytes and puts them at the front; answers how many, 0 at the end of the stream. */
  long receive(MemorySegment into);

  /** Sends all bytes of a native segment. */
  void send(MemorySegment from);

  /** Sends all pieces of a message, which are consumed. */
  void send(MessageHeader message);

  /** The socket, for callers that receive by other means of the kernel's; -1 where none may. */
  default int descriptor() {
    return -1;
  }

  /**
   * Ends the stream in both directions: whoever waits in it returns with the end of the stream or a
   * fault. May be called from any thread, more than once.
   */
  void shutdown();

  /** Gives everything back. No other call may run or follow. */
  @Override
  void close();
}
