package hawser.tools.sandbox;

import hawser.sys.SocketCalls;
import java.lang.foreign.Arena;

/**
 * What a keeper and its daemon say to each other, a byte at a time: the keeper, that the daemon's
 * descriptors can be held on to; the daemon, that it needs nothing else any more; the keeper, that
 * all else is gone.
 */
record Handshake(int socket) {
  /** Says that one's own part is done. */
  void say() {
    try (var arena = Arena.ofConfined()) {
      // Where the other side is gone, hearing from it tells.
      long _ = SocketCalls.send(socket, arena.allocate(1));
    }
  }

  /** Waits for the other side's part; false when it is gone. */
  boolean hear() {
    try (var arena = Arena.ofConfined()) {
      return SocketCalls.recv(socket, arena.allocate(1), 0) == 1;
    }
  }
}
