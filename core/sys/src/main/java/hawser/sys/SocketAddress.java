package hawser.sys;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import hawser.base.Wire;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;

/** Where a stream socket listens or connects to. */
public sealed interface SocketAddress {
  /** Address family of unix sockets. */
  int AF_UNIX = 1;

  /** Address family of IPv4. */
  int AF_INET = 2;

  /** Address family of IPv6. */
  int AF_INET6 = 10;

  /** The longest unix socket path in bytes, without the final zero. */
  int UNIX_PATH_BYTES_MAX = 107;

  /** A unix socket; a path that begins with a NUL character is in the abstract name space. */
  record Unix(String path) implements SocketAddress {
    /** Refuses a path that struct sockaddr_un cannot hold; an abstract name needs no final zero. */
    public Unix {
      int bytes = path.getBytes(StandardCharsets.UTF_8).length;
      if (bytes > UNIX_PATH_BYTES_MAX + (path.startsWith("\0") ? 1 : 0)) {
        throw new IllegalArgumentException(
            "UNIX socket path '%s' is too long: Path must be less than 108 bytes".formatted(path));
      }
    }
  }

  /** A TCP port; port 0 lets the kernel choose when listening. */
  record Tcp(InetAddress host, int port) implements SocketAddress {}

  /** A VM socket: context id and port. */
  record Vsock(int contextId, int port) implements SocketAddress {}

  /**
   * The path of a socket in the abstract name space.
   *
   * @param tight whether the name ends where it ends; if not, zeroes up to the longest path are
   *     part of it (unix(7))
   */
  static String abstractPath(String name, boolean tight) {
    int bytes = name.getBytes(StandardCharsets.UTF_8).length;
    return "\0" + name + (tight ? "" : "\0".repeat(Math.max(0, UNIX_PATH_BYTES_MAX - bytes)));
  }

  /** The number of its address family. */
  default int family() {
    return switch (this) {
      case Unix _ -> AF_UNIX;
      case Tcp(var host, _) -> host instanceof Inet4Address ? AF_INET : AF_INET6;
      case Vsock _ -> 40;
    };
  }

  /** The struct sockaddr, exactly as long as the kernel wants it. */
  default MemorySegment encode(Arena arena) {
    return switch (this) {
      case Unix(String path) -> encodeUnix(arena, path.getBytes(StandardCharsets.UTF_8));
      case Tcp(var host, int port) -> encodeTcp(arena, host.getAddress(), port);
      case Vsock(int contextId, int port) -> {
        var raw = arena.allocate(16, 8);
        raw.set(JAVA_SHORT, 0, (short) family());
        raw.set(JAVA_INT, 4, port);
        raw.set(JAVA_INT, 8, contextId);
        yield raw;
      }
    };
  }

  private MemorySegment encodeUnix(Arena arena, byte[] path) {
    boolean isAbstract = path.length > 0 && path[0] == 0;
    var raw = arena.allocate(2 + path.length + (isAbstract ? 0 : 1), 8);
    raw.set(JAVA_SHORT, 0, (short) family());
    MemorySegment.copy(path, 0, raw, JAVA_BYTE, 2, path.length);
    return raw;
  }

  private MemorySegment encodeTcp(Arena arena, byte[] host, int port) {
    boolean v4 = host.length == 4;
    var raw = arena.allocate(v4 ? 16 : 28, 8);
    raw.set(JAVA_SHORT, 0, (short) family());
    raw.set(Wire.BE16, 2, (short) port);
    MemorySegment.copy(host, 0, raw, JAVA_BYTE, v4 ? 4 : 8, host.length);
    return raw;
  }
}
