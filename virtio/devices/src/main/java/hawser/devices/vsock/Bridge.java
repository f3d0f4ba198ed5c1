package hawser.devices.vsock;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.ThreadEnd;
import hawser.sys.Epoll;
import hawser.sys.EventFd;
import hawser.sys.FileCalls;
import hawser.sys.Result;
import hawser.sys.SocketAddress;
import hawser.sys.SocketCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;

/**
 * The host's side: listens for those who want a port of the guest's, and waits for what happens on
 * the sockets of all connections, on a thread of its own.
 *
 * <p>Who connects says {@code CONNECT 1024} and a line feed, and hears {@code OK 1073741824} when
 * the guest has taken the connection (Firecracker's convention, also vhost-device-vsock's).
 */
final class Bridge implements AutoCloseable {
  /** Smaller numbers of the epoll set are this class's own. */
  static final long FIRST_STREAM = 2;

  private static final long LISTENING = 0;
  private static final long CLOSING = 1;
  private static final String CONNECT = "CONNECT ";
  private static final int LINE_BYTES_MAX = CONNECT.length() + 10;

  /** Those who have connected and have not said where to yet. */
  private static final int CALLERS_MAX = 128;

  private static final int BACKLOG = 128;
  private static final int EVENTS_MAX = 64;

  private final Epoll epoll = new Epoll(EVENTS_MAX);
  private final int closing = (int) EventFd.create();
  private final Switchboard switchboard;
  private final int listening;
  private final Map<Long, Caller> callers = new HashMap<>();
  private final MemorySegment one = Arena.ofAuto().allocate(1);
  private final Thread thread;
  private long nextCaller = -1;
  private boolean closed;

  private record Caller(int fd, StringBuilder line) {}

  private Bridge(VsockOptions options, int listening) {
    this.listening = listening;
    this.switchboard = new Switchboard(options, epoll);
    epoll.add(listening, Epoll.IN, LISTENING);
    epoll.add(closing, Epoll.IN, CLOSING);
    this.thread = Thread.ofPlatform().daemon().name("vsock-bridge").start(this::run);
  }

  /** Listens at the guest's socket, whose file stays the caller's to remove. */
  static Bridge listen(VsockOptions options) throws BlockFault {
    var address = new SocketAddress.Unix(options.socket());
    int fd = (int) Result.orFault(SocketCalls.socket(address), "socket");
    FileCalls.setNonblocking(fd);
    long result = SocketCalls.bindTo(fd, address);
    if (!Result.failed(result)) {
      result = SocketCalls.listen(fd, BACKLOG);
    }
    if (Result.failed(result)) {
      FileCalls.close(fd);
    }
    Result.orFault(result, "cannot listen on " + options.socket());
    return new Bridge(options, fd);
  }

  Switchboard switchboard() {
    return switchboard;
  }

  private void run() {
    while (!closed) {
      int count = epoll.await();
      for (int i = 0; i < count; i++) {
        happened(epoll.number(i), epoll.events(i));
      }
    }
  }

  private void happened(long number, int events) {
    if (number == CLOSING) {
      closed = true;
    } else if (number == LISTENING) {
      accept();
    } else if (number >= FIRST_STREAM) {
      switchboard.happened(number, events);
    } else {
      Caller caller = callers.get(number);
      if (caller != null) {
        listen(number, caller);
      }
    }
  }

  private void accept() {
    long fd = SocketCalls.accept(listening);
    if (Result.failed(fd)) {
      return;
    }
    if (callers.size() >= CALLERS_MAX) {
      FileCalls.close((int) fd);
      return;
    }
    FileCalls.setNonblocking((int) fd);
    long number = nextCaller--;
    callers.put(number, new Caller((int) fd, new StringBuilder()));
    epoll.add((int) fd, Epoll.IN, number);
  }

  /** Reads on, and not a byte further than the line: what follows is for the guest. */
  private void listen(long number, Caller caller) {
    while (true) {
      long count = SocketCalls.recv(caller.fd, one, 0);
      if (count == -Errno.EAGAIN.number()) {
        return;
      }
      if (count <= 0) {
        dismiss(number, caller, false);
        return;
      }
      char next = (char) one.get(JAVA_BYTE, 0);
      if (next == '\n') {
        OptionalInt port = port(caller.line.toString());
        dismiss(number, caller, port.isPresent());
        if (port.isPresent() && !switchboard.call(caller.fd, port.getAsInt())) {
          FileCalls.close(caller.fd);
        }
        return;
      }
      caller.line.append(next);
      if (caller.line.length() > LINE_BYTES_MAX) {
        dismiss(number, caller, false);
        return;
      }
    }
  }

  private void dismiss(long number, Caller caller, boolean keep) {
    callers.remove(number);
    epoll.remove(caller.fd);
    if (!keep) {
      FileCalls.close(caller.fd);
    }
  }

  private static OptionalInt port(String line) {
    String stripped = line.strip();
    if (stripped.startsWith(CONNECT)) {
      try {
        return OptionalInt.of(Integer.parseUnsignedInt(stripped.substring(CONNECT.length())));
      } catch (NumberFormatException e) {
        return OptionalInt.empty();
      }
    }
    return OptionalInt.empty();
  }

  /** Ends all connections. No queue may work any more. */
  @Override
  public void close() {
    EventFd.signal(closing);
    ThreadEnd.await(thread);
    callers.values().forEach(caller -> FileCalls.close(caller.fd));
    switchboard.close();
    FileCalls.close(listening);
    FileCalls.close(closing);
    epoll.close();
  }
}
