package hawser.vhost.conform;

import hawser.base.BlockFault;
import hawser.base.PeerFault;
import hawser.sys.FileCalls;
import hawser.sys.SocketCalls;
import hawser.vhost.connection.Received;
import hawser.vhost.connection.VhostSocket;
import hawser.vhost.frontend.Driver;
import hawser.vhost.frontend.DriverPlan;
import hawser.vhost.frontend.FrontEnd;
import hawser.vhost.frontend.GuestRam;
import hawser.vhost.frontend.Sockets;
import hawser.vhost.message.Header;
import hawser.vhost.message.ProtocolFeature;
import hawser.vhost.message.VirtioFeature;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The back-end under trial, which listens on a unix socket and serves one front-end after the
 * other.
 *
 * @param socket where it listens
 * @param patience how long an answer may take
 * @param started starts it where nobody else does
 */
public record Subject(Path socket, Duration patience, @Nullable StartedBackEnd started) {
  /** Bytes of guest memory in a trial. */
  static final long RAM_BYTES = 8 << 20;

  /** A new connection. */
  public FrontEnd connect() throws BlockFault {
    return new FrontEnd(connected(), patience);
  }

  private int connected() throws BlockFault {
    return started == null ? Sockets.connected(socket) : started.connected();
  }

  /** The same with another patience. */
  Subject within(Duration other) {
    return new Subject(socket, other, started);
  }

  /** Whether somebody still listens. */
  boolean listens() {
    try (FrontEnd _ = connect()) {
      return true;
    } catch (BlockFault nobody) {
      return false;
    }
  }

  /** The features of a device of its own and of all. */
  long features() throws BlockFault {
    try (FrontEnd frontEnd = connect()) {
      return frontEnd.getFeatures();
    }
  }

  /** The protocol features, 0 where there are none. */
  long protocol() throws BlockFault {
    try (FrontEnd frontEnd = connect()) {
      boolean any = (frontEnd.getFeatures() & VirtioFeature.PROTOCOL_FEATURES) != 0;
      return any ? frontEnd.getProtocolFeatures() : 0;
    }
  }

  boolean offers(ProtocolFeature feature) throws BlockFault {
    return feature.in(protocol());
  }

  /** A connection with everything agreed that a driver can use, and no ring started. */
  Driver agree(GuestRam ram, DriverPlan plan) throws BlockFault {
    return Driver.agree(connect(), ram, plan);
  }

  /** A device at work. */
  Driver start(GuestRam ram, DriverPlan plan) throws BlockFault {
    return Driver.start(connect(), ram, plan);
  }

  /** Whether a new front-end is served, said as a verdict. */
  Verdict alive() throws BlockFault {
    try (FrontEnd frontEnd = connect()) {
      String crash = started == null ? null : started.crash();
      return crash != null
          ? new Verdict.Fail(crash)
          : Verdict.of(frontEnd.getFeatures() != 0, "no features after that");
    }
  }

  /** What came of bytes that no front-end should send. */
  enum Reaction {
    /** An answer. */
    ANSWERED,
    /** The connection was closed. */
    CLOSED,
    /** Neither in time. */
    SILENT
  }

  /** Sends bytes, one by one if {@code slowly}; what came back, if it should come in that time. */
  Reaction send(byte[] bytes, boolean slowly, int milliseconds) throws BlockFault {
    int fd = connected();
    try (var arena = Arena.ofConfined()) {
      MemorySegment all = arena.allocateFrom(java.lang.foreign.ValueLayout.JAVA_BYTE, bytes);
      long step = slowly ? 1 : bytes.length;
      for (long at = 0; at < bytes.length; at += step) {
        if (SocketCalls.send(fd, all.asSlice(at, step)) != step) {
          return Reaction.CLOSED;
        }
      }
      if (SocketCalls.poll(fd, SocketCalls.POLLIN, milliseconds) == 0) {
        return Reaction.SILENT;
      }
      try (Received answer = new VhostSocket(fd).receive()) {
        return answer == null ? Reaction.CLOSED : Reaction.ANSWERED;
      } catch (PeerFault reset) {
        return Reaction.CLOSED;
      }
    } finally {
      FileCalls.close(fd);
    }
  }

  /** A message as bytes, with a header of any kind. */
  static byte[] message(int request, int flags, int size, int... payload) {
    ByteBuffer out =
        ByteBuffer.allocate(Header.BYTES + payload.length * Integer.BYTES)
            .order(ByteOrder.nativeOrder());
    out.putInt(request).putInt(flags).putInt(size);
    for (int word : payload) {
      out.putInt(word);
    }
    return out.array();
  }
}
