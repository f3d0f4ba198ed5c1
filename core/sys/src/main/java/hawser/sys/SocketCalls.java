package hawser.sys;

import static hawser.sys.Native.bind;
import static hawser.sys.Native.broken;
import static hawser.sys.Native.check;
import static hawser.sys.Native.state;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Calls on sockets. A call answers with its result or with a negated error number; {@code EINTR} is
 * retried here. Sockets are close-on-exec and sending never raises SIGPIPE. Safe from any thread.
 */
public final class SocketCalls {
  /** Send and receive timeouts (struct timeval) and other options live at this level. */
  public static final int SOL_SOCKET = 1;

  /** Option level of TCP. */
  public static final int IPPROTO_TCP = 6;

  /** Send small packets at once. */
  public static final int TCP_NODELAY = 1;

  /** Bind to an address of a closed predecessor. */
  public static final int SO_REUSEADDR = 2;

  /** Receive timeout. */
  public static final int SO_RCVTIMEO = 20;

  /** Probe idle connections. */
  public static final int SO_KEEPALIVE = 9;

  /** {@link #shutdown} both directions. */
  public static final int SHUT_RDWR = 2;

  /** {@link #shutdown} sending only. */
  public static final int SHUT_WR = 1;

  /** {@link #recv}: answer EAGAIN instead of waiting. */
  public static final int MSG_DONTWAIT = 0x40;

  /** {@link #poll}: readable. */
  public static final short POLLIN = 1;

  private static final int MSG_NOSIGNAL = 0x4000;
  private static final int MSG_CMSG_CLOEXEC = 0x40000000;
  private static final int SOCK_STREAM = 1;
  private static final int SOCK_CLOEXEC = 0x80000;
  private static final int EINTR = 4;

  /** The most descriptors one message carries (the kernel's SCM_MAX_FD). */
  public static final int DESCRIPTORS_MAX = 253;

  private static final MethodHandle SOCKET = bind("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle SOCKETPAIR =
      bind("socketpair", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS);
  private static final MethodHandle BIND = bind("bind", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle CONNECT =
      bind("connect", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle LISTEN = bind("listen", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle ACCEPT4 =
      bind("accept4", JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, JAVA_INT);
  private static final MethodHandle GETSOCKNAME =
      bind("getsockname", JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);
  private static final MethodHandle SETSOCKOPT =
      bind("setsockopt", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle SHUTDOWN = bind("shutdown", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle RECV =
      bind("recv", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
  private static final MethodHandle SEND =
      bind("send", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
  private static final MethodHandle SENDMSG =
      bind("sendmsg", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle RECVMSG =
      bind("recvmsg", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle POLL = bind("poll", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);

  private SocketCalls() {}

  /** A new stream socket of the address's family; answers a descriptor. */
  public static long socket(SocketAddress family) {
    try {
      var state = state();
      return check(
          (int) SOCKET.invokeExact(state, family.family(), SOCK_STREAM | SOCK_CLOEXEC, 0), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** Two connected unix stream sockets, written to {@code pair[0]} and {@code pair[1]}. */
  public static long socketPair(int[] pair) {
    try (var arena = Arena.ofConfined()) {
      var state = state();
      var fds = arena.allocate(8, 4);
      long result =
          check((int) SOCKETPAIR.invokeExact(state, 1, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), state);
      pair[0] = fds.get(JAVA_INT, 0);
      pair[1] = fds.get(JAVA_INT, 4);
      return result;
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** bind(2). */
  public static long bindTo(int fd, SocketAddress address) {
    try (var arena = Arena.ofConfined()) {
      var state = state();
      MemorySegment raw = address.encode(arena);
      return check((int) BIND.invokeExact(state, fd, raw, (int) raw.byteSize()), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** connect(2); waits. */
  public static long connect(int fd, SocketAddress address) {
    try (var arena = Arena.ofConfined()) {
      var state = state();
      MemorySegment raw = address.encode(arena);
      return check((int) CONNECT.invokeExact(state, fd, raw, (int) raw.byteSize()), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** listen(2). */
  public static long listen(int fd, int backlog) {
    try {
      var state = state();
      return check((int) LISTEN.invokeExact(state, fd, backlog), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** accept4(2); waits. Answers the new descriptor. */
  public static long accept(int fd) {
    try {
      var state = state();
      long result;
      do {
        result =
            check(
                (int)
                    ACCEPT4.invokeExact(
                        state, fd, MemorySegment.NULL, MemorySegment.NULL, SOCK_CLOEXEC),
                state);
      } while (result == -EINTR);
      return result;
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** The TCP port a socket is bound to, or 0 for other families. */
  public static long localPort(int fd) {
    try (var arena = Arena.ofConfined()) {
      var state = state();
      var raw = arena.allocate(128, 8);
      var length = arena.allocateFrom(JAVA_INT, 128);
      long result = check((int) GETSOCKNAME.invokeExact(state, fd, raw, length), state);
      if (result < 0) {
        return result;
      }
      short family = raw.get(JAVA_SHORT, 0);
      boolean inet = family == SocketAddress.AF_INET || family == SocketAddress.AF_INET6;
      return inet ? Short.toUnsignedInt(raw.get(hawser.base.Wire.BE16, 2)) : 0;
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** setsockopt(2) with an int. */
  public static long setOption(int fd, int level, int option, int value) {
    try (var arena = Arena.ofConfined()) {
      var state = state();
      var raw = arena.allocateFrom(JAVA_INT, value);
      return check((int) SETSOCKOPT.invokeExact(state, fd, level, option, raw, 4), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** Lets receiving fail with EAGAIN after so many milliseconds; 0 waits for ever. */
  public static long setReceiveTimeout(int fd, long milliseconds) {
    try (var arena = Arena.ofConfined()) {
      var state = state();
      var raw = arena.allocate(16, 8);
      raw.set(JAVA_LONG, 0, milliseconds / 1000);
      raw.set(JAVA_LONG, 8, milliseconds % 1000 * 1000);
      return check(
          (int) SETSOCKOPT.invokeExact(state, fd, SOL_SOCKET, SO_RCVTIMEO, raw, 16), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** shutdown(2); wakes threads that wait in this socket's calls. */
  public static long shutdown(int fd, int how) {
    try {
      var state = state();
      return check((int) SHUTDOWN.invokeExact(state, fd, how), state);
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** recv(2): answers how many bytes came, 0 at the end of the stream. */
  public static long recv(int fd, MemorySegment into, int flags) {
    try {
      var state = state();
      long result;
      do {
        result = check((long) RECV.invokeExact(state, fd, into, into.byteSize(), flags), state);
      } while (result == -EINTR);
      return result;
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** send(2): answers how many bytes went, perhaps fewer than all. */
  public static long send(int fd, MemorySegment from) {
    try {
      var state = state();
      long result;
      do {
        result =
            check((long) SEND.invokeExact(state, fd, from, from.byteSize(), MSG_NOSIGNAL), state);
      } while (result == -EINTR);
      return result;
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** sendmsg(2) of a prepared header; see {@link MessageHeader}. */
  public static long sendMessage(int fd, MessageHeader message) {
    try {
      var state = state();
      long result;
      do {
        result = check((long) SENDMSG.invokeExact(state, fd, message.raw(), MSG_NOSIGNAL), state);
      } while (result == -EINTR);
      return result;
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** recvmsg(2) into a prepared header; received descriptors are close-on-exec. */
  public static long receiveMessage(int fd, MessageHeader message, int flags) {
    try {
      var state = state();
      long result;
      do {
        result =
            check(
                (long) RECVMSG.invokeExact(state, fd, message.raw(), flags | MSG_CMSG_CLOEXEC),
                state);
      } while (result == -EINTR);
      return result;
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /**
   * poll(2) on one descriptor: 1 when one of {@code events} (or an error) is there, 0 after the
   * timeout; -1 milliseconds wait for ever.
   */
  public static long poll(int fd, short events, int milliseconds) {
    try (var arena = Arena.ofConfined()) {
      var state = state();
      var raw = arena.allocate(8, 4);
      raw.set(JAVA_INT, 0, fd);
      raw.set(JAVA_SHORT, 4, events);
      long result;
      do {
        result = check((int) POLL.invokeExact(state, raw, 1L, milliseconds), state);
      } while (result == -EINTR);
      return result;
    } catch (Throwable e) {
      throw broken(e);
    }
  }

  /** Waits until one of two descriptors is readable or broken: 0 for the first, 1 for the other. */
  public static int pollEither(int first, int second) {
    try (var arena = Arena.ofConfined()) {
      var state = state();
      var raw = arena.allocate(16, 4);
      raw.set(JAVA_INT, 0, first);
      raw.set(JAVA_SHORT, 4, POLLIN);
      raw.set(JAVA_INT, 8, second);
      raw.set(JAVA_SHORT, 12, POLLIN);
      long result;
      do {
        result = check((int) POLL.invokeExact(state, raw, 2L, -1), state);
      } while (result == -EINTR);
      return raw.get(JAVA_SHORT, 6) != 0 ? 0 : 1;
    } catch (Throwable e) {
      throw broken(e);
    }
  }
}
