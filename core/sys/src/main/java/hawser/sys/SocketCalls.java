package hawser.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

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

  /** {@link #shutdown} receiving only. */
  public static final int SHUT_RD = 0;

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
  private static final int SO_ACCEPTCONN = 30;
  private static final int SOCK_STREAM = 1;
  private static final int SOCK_CLOEXEC = 0x80000;

  /** The most descriptors one message carries (the kernel's SCM_MAX_FD). */
  public static final int DESCRIPTORS_MAX = 253;

  private static final NumberCall SOCKET = NumberCall.ofInt("socket");
  private static final NumberCall SOCKETPAIR = NumberCall.ofInt("socketpair");
  private static final NumberCall BIND = NumberCall.ofInt("bind");
  private static final NumberCall CONNECT = NumberCall.ofInt("connect");
  private static final NumberCall LISTEN = NumberCall.ofInt("listen");
  private static final NumberCall ACCEPT4 = NumberCall.ofInt("accept4");
  private static final NumberCall GETSOCKNAME = NumberCall.ofInt("getsockname");
  private static final NumberCall GETSOCKOPT = NumberCall.ofInt("getsockopt");
  private static final NumberCall SETSOCKOPT = NumberCall.ofInt("setsockopt");
  private static final NumberCall SHUTDOWN = NumberCall.ofInt("shutdown");
  private static final BufferCall RECV = BufferCall.ofLong("recv");
  private static final BufferCall SEND = BufferCall.ofLong("send");
  private static final BufferCall SENDMSG = BufferCall.ofLong("sendmsg");
  private static final BufferCall RECVMSG = BufferCall.ofLong("recvmsg");
  private static final NumberCall POLL = NumberCall.ofInt("poll");

  private SocketCalls() {}

  /** A new stream socket of the address's family; answers a descriptor. */
  public static long socket(SocketAddress family) {
    return SOCKET.call(family.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  }

  /** Two connected unix stream sockets, written to {@code pair[0]} and {@code pair[1]}. */
  public static long socketPair(int[] pair) {
    try (var arena = Arena.ofConfined()) {
      var fds = arena.allocate(8, 4);
      long result =
          SOCKETPAIR.call(SocketAddress.AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.address());
      pair[0] = fds.get(JAVA_INT, 0);
      pair[1] = fds.get(JAVA_INT, 4);
      return result;
    }
  }

  /** bind(2). */
  public static long bindTo(int fd, SocketAddress address) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment raw = address.encode(arena);
      return BIND.call(fd, raw.address(), raw.byteSize());
    }
  }

  /** connect(2); waits. */
  public static long connect(int fd, SocketAddress address) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment raw = address.encode(arena);
      return CONNECT.call(fd, raw.address(), raw.byteSize());
    }
  }

  /** listen(2). */
  public static long listen(int fd, int backlog) {
    return LISTEN.call(fd, backlog);
  }

  /** accept4(2); waits. Answers the new descriptor. */
  public static long accept(int fd) {
    return ACCEPT4.retry(fd, 0, 0, SOCK_CLOEXEC);
  }

  /** The TCP port a socket is bound to, or 0 for other families. */
  public static long localPort(int fd) {
    try (var arena = Arena.ofConfined()) {
      var raw = arena.allocate(128, 8);
      var length = arena.allocateFrom(JAVA_INT, 128);
      long result = GETSOCKNAME.call(fd, raw.address(), length.address());
      if (result < 0) {
        return result;
      }
      short family = raw.get(JAVA_SHORT, 0);
      boolean inet = family == SocketAddress.AF_INET || family == SocketAddress.AF_INET6;
      return inet ? Short.toUnsignedInt(raw.get(hawser.base.Wire.BE16, 2)) : 0;
    }
  }

  /** setsockopt(2) with an int. */
  public static long setOption(int fd, int level, int option, int value) {
    try (var arena = Arena.ofConfined()) {
      long raw = arena.allocateFrom(JAVA_INT, value).address();
      return SETSOCKOPT.call(fd, level, option, raw, 4, 0);
    }
  }

  /** Whether the descriptor is a socket that waits for connections: 1, 0 or an error. */
  public static long isListening(int fd) {
    try (var arena = Arena.ofConfined()) {
      var raw = arena.allocateFrom(JAVA_INT, 0);
      var length = arena.allocateFrom(JAVA_INT, 4);
      long result =
          GETSOCKOPT.call(fd, SOL_SOCKET, SO_ACCEPTCONN, raw.address(), length.address(), 0);
      return result < 0 ? result : raw.get(JAVA_INT, 0);
    }
  }

  /** Lets receiving fail with EAGAIN after so many milliseconds; 0 waits for ever. */
  public static long setReceiveTimeout(int fd, long milliseconds) {
    try (var arena = Arena.ofConfined()) {
      var raw = arena.allocate(16, 8);
      raw.set(JAVA_LONG, 0, milliseconds / 1000);
      raw.set(JAVA_LONG, 8, milliseconds % 1000 * 1000);
      return SETSOCKOPT.call(fd, SOL_SOCKET, SO_RCVTIMEO, raw.address(), 16, 0);
    }
  }

  /** shutdown(2); wakes threads that wait in this socket's calls. */
  public static long shutdown(int fd, int how) {
    return SHUTDOWN.call(fd, how);
  }

  /** recv(2): answers how many bytes came, 0 at the end of the stream. */
  public static long recv(int fd, MemorySegment into, int flags) {
    return RECV.call(fd, into, into.byteSize(), flags);
  }

  /** send(2): answers how many bytes went, perhaps fewer than all. */
  public static long send(int fd, MemorySegment from) {
    return SEND.call(fd, from, from.byteSize(), MSG_NOSIGNAL);
  }

  /** sendmsg(2) of a prepared header; see {@link MessageHeader}. */
  public static long sendMessage(int fd, MessageHeader message) {
    return SENDMSG.call(fd, message.raw(), MSG_NOSIGNAL);
  }

  /** recvmsg(2) into a prepared header; received descriptors are close-on-exec. */
  public static long receiveMessage(int fd, MessageHeader message, int flags) {
    return RECVMSG.call(fd, message.raw(), flags | MSG_CMSG_CLOEXEC);
  }

  /**
   * poll(2) on one descriptor: 1 when one of {@code events} (or an error) is there, 0 after the
   * timeout; -1 milliseconds wait for ever.
   */
  public static long poll(int fd, short events, int milliseconds) {
    try (var arena = Arena.ofConfined()) {
      var raw = arena.allocate(8, 4);
      raw.set(JAVA_INT, 0, fd);
      raw.set(JAVA_SHORT, 4, events);
      return POLL.retry(raw.address(), 1, milliseconds, 0);
    }
  }

  /** Waits until one of two descriptors is readable or broken: 0 for the first, 1 for the other. */
  public static int pollEither(int first, int second) {
    try (var arena = Arena.ofConfined()) {
      var raw = arena.allocate(16, 4);
      raw.set(JAVA_INT, 0, first);
      raw.set(JAVA_SHORT, 4, POLLIN);
      raw.set(JAVA_INT, 8, second);
      raw.set(JAVA_SHORT, 12, POLLIN);
      POLL.retry(raw.address(), 2, -1, 0);
      return raw.get(JAVA_SHORT, 6) != 0 ? 0 : 1;
    }
  }
}
