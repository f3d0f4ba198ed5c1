package hawser.nbd.transport;

import hawser.base.PeerFault;
import hawser.sys.FileCalls;
import hawser.sys.MessageHeader;
import hawser.sys.Result;
import hawser.sys.SocketCalls;
import java.lang.foreign.MemorySegment;

/** A connected stream socket, by its descriptor, which it owns. */
public final class SocketTransport implements Transport {
  /**
   * What the kernel is asked to buffer in each direction. A batch of 64 replies of 4 KiB then goes
   * out in one call; the kernel gives less where it is told to.
   */
  private static final int BUFFER_BYTES = 1 << 20;

  private static final int SO_SNDBUF = 7;
  private static final int SO_RCVBUF = 8;

  private final int fd;
  private final BusyPoll busyPoll;
  private boolean closed;

  /** Takes over a connected socket; sets TCP_NODELAY where it is TCP. */
  public SocketTransport(int fd) {
    this.fd = fd;
    this.busyPoll = new BusyPoll(fd);
    // Both fail harmlessly on other kinds of socket.
    SocketCalls.setOption(fd, SocketCalls.IPPROTO_TCP, SocketCalls.TCP_NODELAY, 1);
    SocketCalls.setOption(fd, SocketCalls.SOL_SOCKET, SO_SNDBUF, BUFFER_BYTES);
    SocketCalls.setOption(fd, SocketCalls.SOL_SOCKET, SO_RCVBUF, BUFFER_BYTES);
  }

  @Override
  public long receive(MemorySegment into) {
    return orFault(busyPoll.receive(into), "receive");
  }

  @Override
  public void send(MemorySegment from) {
    long sent = orFault(SocketCalls.send(fd, from), "send");
    while (sent < from.byteSize()) {
      sent += orFault(SocketCalls.send(fd, from.asSlice(sent)), "send");
    }
  }

  @Override
  public void send(MessageHeader message) {
    while (message.pieces().count() > 0) {
      message.pieces().consume(orFault(SocketCalls.sendMessage(fd, message), "send"));
    }
  }

  @Override
  public int descriptor() {
    return fd;
  }

  private static long orFault(long result, String doing) {
    if (result < 0) {
      throw new PeerFault("cannot " + doing + ": " + Result.errno(result).text());
    }
    return result;
  }

  @Override
  public synchronized void shutdown() {
    if (!closed) {
      SocketCalls.shutdown(fd, SocketCalls.SHUT_RDWR);
    }
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      FileCalls.close(fd);
    }
  }
}
