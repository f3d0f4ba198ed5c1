package hawser.nbd.transport;

import hawser.base.AwakeThreads;
import hawser.base.Errno;
import hawser.sys.SocketCalls;
import java.lang.foreign.MemorySegment;

/**
 * Receives from a socket, staying awake for a moment where the last wait was short too: to be woken
 * on an idle processor costs several times what serving a cached 4 KiB request does. A peer that
 * thinks longer between its requests costs nothing. Belongs to the thread that receives.
 */
final class BusyPoll {
  /** Waits up to this are short: somewhat longer than it takes to wake a peer that sleeps too. */
  private static final long SHORT_NANOS = 100_000;

  private final int fd;
  private boolean lastWaitShort;

  BusyPoll(int fd) {
    this.fd = fd;
  }

  /** As {@link SocketCalls#recv}. */
  long receive(MemorySegment into) {
    long from = System.nanoTime();
    long count = -Errno.EAGAIN.number();
    if (lastWaitShort && AwakeThreads.enter()) {
      try {
        count = receiveAwake(into, from + SHORT_NANOS);
      } finally {
        AwakeThreads.leave();
      }
    }
    if (count == -Errno.EAGAIN.number()) {
      count = SocketCalls.recv(fd, into, 0);
      lastWaitShort = System.nanoTime() - from < SHORT_NANOS;
    }
    return count;
  }

  // The peer may wait for this very processor, so it is offered at each turn.
  @SuppressWarnings("ThreadPriorityCheck")
  private long receiveAwake(MemorySegment into, long until) {
    long count;
    do {
      count = SocketCalls.recv(fd, into, SocketCalls.MSG_DONTWAIT);
      if (count != -Errno.EAGAIN.number()) {
        return count;
      }
      Thread.yield();
    } while (System.nanoTime() - until < 0);
    return count;
  }
}
