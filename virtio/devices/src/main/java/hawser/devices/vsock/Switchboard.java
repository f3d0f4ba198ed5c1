package hawser.devices.vsock;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import hawser.base.Errno;
import hawser.base.PeerFault;
import hawser.sys.Epoll;
import hawser.sys.EventFd;
import hawser.sys.FileCalls;
import hawser.sys.Iovecs;
import hawser.sys.Result;
import hawser.sys.SocketAddress;
import hawser.sys.SocketCalls;
import hawser.vhost.ring.Chain;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * All connections of a guest, and what the guest is to be told of them. The transmit queue brings
 * packets, the receive queue takes some away, the bridge tells what happens to sockets: each on its
 * own thread, one at a time.
 */
final class Switchboard implements AutoCloseable {
  /** Connections at most; each holds a descriptor and the room for what the host does not read. */
  static final int STREAMS_MAX = 1023;

  /** Packets for the guest that may wait; then no more are taken from it. */
  private static final int OUTBOX_MAX = 256;

  /** Ports of those who connect from the host begin here, as Firecracker's do. */
  private static final int HOST_PORTS = 1 << 30;

  private final VsockOptions options;
  private final Epoll epoll;
  private final int toTell = (int) EventFd.create();
  private final int roomAgain = (int) EventFd.create();
  private final Iovecs vector = new Iovecs(Arena.ofAuto(), Iovecs.COUNT_MAX);
  private final MemorySegment raw = Arena.ofAuto().allocate(Header.BYTES, 8);

  private final Map<Long, Stream> streams = new HashMap<>();
  private final Map<Long, Stream> numbered = new HashMap<>();
  private final ArrayDeque<Supplier<Header>> outbox = new ArrayDeque<>();
  private final ArrayDeque<Stream> ready = new ArrayDeque<>();
  private int nextHostPort = HOST_PORTS;
  private long nextNumber = Bridge.FIRST_STREAM;

  Switchboard(VsockOptions options, Epoll epoll) {
    this.options = options;
    this.epoll = epoll;
  }

  /** An eventfd that is signalled when there is something to {@link #give}. */
  int toTell() {
    return toTell;
  }

  /** An eventfd that is signalled when there is room for answers again. */
  int roomAgain() {
    return roomAgain;
  }

  synchronized boolean hasSomething() {
    return !outbox.isEmpty() || !ready.isEmpty();
  }

  synchronized boolean hasRoom() {
    return outbox.size() < OUTBOX_MAX;
  }

  /** Takes a packet of the guest's; only while there is room for answers. */
  synchronized void take(Chain chain) {
    if (chain.readableBytes() < Header.BYTES) {
      throw new PeerFault("vsock: a packet of %d bytes".formatted(chain.readableBytes()));
    }
    chain.read(0, raw);
    Header header = Header.read(raw);
    long payload = chain.readableBytes() - Header.BYTES;
    if (Integer.toUnsignedLong(header.length()) > payload) {
      throw new PeerFault(
          "vsock: length of a packet is %s, and %d bytes follow"
              .formatted(Integer.toUnsignedString(header.length()), payload));
    }
    if (header.sourceCid() != options.guestCid()) {
      return;
    }
    Op op = Op.of(header.op());
    Stream stream = streams.get(key(header.destinationPort(), header.sourcePort()));
    boolean ours = header.destinationCid() == Header.HOST_CID && header.type() == Header.STREAM;
    if (ours && op == Op.REQUEST && stream == null) {
      connect(header);
    } else if (!ours || op == null || stream == null) {
      refuse(header);
    } else {
      stream.guestCredit(header);
      take(stream, op, header, chain);
      settle(stream);
    }
  }

  private void take(Stream stream, Op op, Header header, Chain chain) {
    switch (op) {
      case INVALID, REQUEST -> reset(stream);
      case RESPONSE -> answered(stream);
      case RST -> remove(stream);
      case SHUTDOWN -> stream.guestShutdown |= header.flags() & Op.SHUTDOWN_BOTH;
      case RW -> {
        boolean may = (stream.guestShutdown & Op.SHUTDOWN_SEND) == 0 && !stream.requested;
        if (may && stream.hasRoom(header.length())) {
          stream.take(chain, header.length(), vector);
        } else {
          reset(stream);
        }
      }
      case CREDIT_UPDATE -> {}
      case CREDIT_REQUEST -> oweCredit(stream, Op.CREDIT_UPDATE);
    }
  }

  /** The guest takes the connection that somebody on the host has asked for. */
  private void answered(Stream stream) {
    String text = "OK %s\n".formatted(Integer.toUnsignedString(stream.hostPort));
    try (var arena = Arena.ofConfined()) {
      MemorySegment line = arena.allocateFrom(text).asSlice(0, text.length());
      if (stream.requested && SocketCalls.send(stream.fd, line) == line.byteSize()) {
        stream.requested = false;
      } else {
        reset(stream);
      }
    }
  }

  /** The guest asks for a connection to the socket of that port. */
  private void connect(Header header) {
    String port = Integer.toUnsignedString(header.destinationPort());
    var address = new SocketAddress.Unix(options.socket() + "_" + port);
    long fd = streams.size() < STREAMS_MAX ? SocketCalls.socket(address) : -Errno.EAGAIN.number();
    if (!Result.failed(fd)) {
      FileCalls.setNonblocking((int) fd);
      if (!Result.failed(SocketCalls.connect((int) fd, address))) {
        Stream stream = open((int) fd, header.destinationPort(), header.sourcePort());
        stream.guestCredit(header);
        owe(stream, Op.RESPONSE, 0);
        settle(stream);
        return;
      }
      FileCalls.close((int) fd);
    }
    refuse(header);
  }

  /** Somebody on the host asks for a port of the guest's. False: not now. */
  synchronized boolean call(int fd, int guestPort) {
    if (streams.size() >= STREAMS_MAX || !hasRoom()) {
      return false;
    }
    while (streams.containsKey(key(nextHostPort, guestPort))) {
      nextPort();
    }
    Stream stream = open(fd, nextHostPort, guestPort);
    nextPort();
    stream.requested = true;
    owe(stream, Op.REQUEST, 0);
    settle(stream);
    return true;
  }

  private void nextPort() {
    nextHostPort = nextHostPort == Integer.MAX_VALUE ? HOST_PORTS : nextHostPort + 1;
  }

  private Stream open(int fd, int hostPort, int guestPort) {
    var stream = new Stream(fd, nextNumber++, hostPort, guestPort, options.room());
    streams.put(key(hostPort, guestPort), stream);
    numbered.put(stream.number, stream);
    epoll.add(fd, Epoll.ONESHOT, stream.number);
    stream.watched = 0;
    return stream;
  }

  /** Something has happened to a connection's socket. */
  synchronized void happened(long number, int events) {
    Stream stream = numbered.get(number);
    if (stream == null) {
      return;
    }
    stream.watched = Stream.UNWATCHED;
    stream.abandoned |= (events & (Epoll.HUP | Epoll.ERR)) != 0;
    stream.flush();
    if ((events & Epoll.IN) != 0) {
      makeReady(stream);
    }
    settle(stream);
  }

  /** Draws the conclusions from what has changed about a connection. */
  private void settle(Stream stream) {
    if (stream.over) {
      return;
    }
    if (stream.abandoned && (stream.requested || stream.finished)) {
      owe(stream, stream.requested ? Op.RST : Op.SHUTDOWN, Op.SHUTDOWN_BOTH);
      remove(stream);
      return;
    }
    boolean written = stream.backlogBytes() == 0;
    if (written && stream.guestShutdown == Op.SHUTDOWN_BOTH) {
      reset(stream);
      return;
    }
    if (written && stream.guestShutdown == Op.SHUTDOWN_SEND) {
      SocketCalls.shutdown(stream.fd, SocketCalls.SHUT_WR);
    } else if (stream.guestShutdown == Op.SHUTDOWN_RCV) {
      SocketCalls.shutdown(stream.fd, SocketCalls.SHUT_RD);
    }
    if (stream.roomIsNews()) {
      oweCredit(stream, Op.CREDIT_UPDATE);
    }
    watch(stream);
  }

  private void watch(Stream stream) {
    boolean reads =
        !stream.ready
            && !stream.finished
            && !stream.requested
            && (stream.guestShutdown & Op.SHUTDOWN_RCV) == 0
            && stream.credit() > 0;
    if (stream.abandoned) {
      // It would be told of for ever: read the rest without being told.
      if (reads) {
        makeReady(stream);
      }
      return;
    }
    int events = (reads ? Epoll.IN : 0) | (stream.backlogBytes() > 0 ? Epoll.OUT : 0);
    if (events != stream.watched) {
      stream.watched = events;
      epoll.change(stream.fd, events | Epoll.ONESHOT, stream.number);
    }
  }

  private void makeReady(Stream stream) {
    if (!stream.ready) {
      stream.ready = true;
      ready.add(stream);
      EventFd.signal(toTell);
    }
  }

  private void owe(Stream stream, Op op, int flags) {
    owe(() -> stream.header(op, options.guestCid(), 0, op == Op.SHUTDOWN ? flags : 0));
  }

  private void oweCredit(Stream stream, Op op) {
    if (!stream.creditDue) {
      stream.creditDue = true;
      owe(
          () -> {
            stream.creditDue = false;
            return stream.header(op, options.guestCid(), 0, 0);
          });
    }
  }

  private void owe(Supplier<Header> packet) {
    outbox.add(packet);
    EventFd.signal(toTell);
  }

  /** Answers that there is no such connection, but never to another such answer. */
  private void refuse(Header header) {
    if (header.op() != Op.RST.number) {
      oweReset(header.destinationCid(), header.destinationPort(), header.sourcePort());
    }
  }

  private void oweReset(long hostCid, int hostPort, int guestPort) {
    int op = Op.RST.number;
    var answer =
        new Header(hostCid, options.guestCid(), hostPort, guestPort, 0, Header.STREAM, op, 0, 0, 0);
    owe(() -> answer);
  }

  private void reset(Stream stream) {
    owe(stream, Op.RST, 0);
    remove(stream);
  }

  private void remove(Stream stream) {
    stream.over = true;
    streams.remove(key(stream.hostPort, stream.guestPort));
    numbered.remove(stream.number);
    epoll.remove(stream.fd);
    FileCalls.close(stream.fd);
  }

  /**
   * Fills a buffer of the guest's with the next packet; there must be something. Answers its bytes.
   */
  synchronized long give(Chain chain) {
    if (chain.writableBytes() <= Header.BYTES) {
      throw new PeerFault("vsock: a buffer of %d bytes".formatted(chain.writableBytes()));
    }
    Supplier<Header> packet = outbox.poll();
    Header header = packet == null ? data(chain) : packet.get();
    if (outbox.size() == OUTBOX_MAX - 1) {
      EventFd.signal(roomAgain);
    }
    header.write(raw);
    chain.write(0, raw);
    return (long) Header.BYTES + header.length();
  }

  /** Fills a buffer with what a socket has; answers the packet's header. */
  private Header data(Chain chain) {
    Stream stream = ready.remove();
    stream.ready = false;
    if (stream.over) {
      // The buffer must carry something, and this is true.
      return stream.header(Op.RST, options.guestCid(), 0, 0);
    }
    if (stream.credit() == 0) {
      return stream.header(Op.CREDIT_REQUEST, options.guestCid(), 0, 0);
    }
    long count = stream.fill(chain, vector);
    if (count > 0) {
      more(stream, count == vector.bytes());
      return stream.header(Op.RW, options.guestCid(), (int) count, 0);
    }
    if (count == -Errno.EAGAIN.number()) {
      watch(stream);
      return stream.header(Op.CREDIT_UPDATE, options.guestCid(), 0, 0);
    }
    stream.finished = true;
    int flags = stream.abandoned ? Op.SHUTDOWN_BOTH : Op.SHUTDOWN_SEND;
    if (stream.abandoned) {
      remove(stream);
    } else {
      watch(stream);
    }
    return stream.header(Op.SHUTDOWN, options.guestCid(), 0, flags);
  }

  /** Looks for more of a socket that has just given something. */
  private void more(Stream stream, boolean full) {
    if (stream.credit() == 0) {
      oweCredit(stream, Op.CREDIT_REQUEST);
    } else if (full) {
      makeReady(stream);
    }
    watch(stream);
  }

  /** The ports of every connection, for a successor: the host's, then the guest's. */
  synchronized List<int[]> ports() {
    var found = new ArrayList<int[]>();
    for (Stream stream : streams.values()) {
      found.add(new int[] {stream.hostPort, stream.guestPort});
    }
    return found;
  }

  /** Tells the guest that these connections are gone. */
  synchronized void refuse(List<int[]> ports) {
    for (int[] pair : ports) {
      oweReset(Header.HOST_CID, pair[0], pair[1]);
    }
  }

  /** Ends all connections without a word to the guest. No queue works. */
  synchronized void forget() {
    List.copyOf(streams.values()).forEach(this::remove);
    outbox.clear();
    ready.clear();
    EventFd.signal(roomAgain);
  }

  /** The configuration space: the guest's context identifier. */
  ByteBuffer config() {
    return ByteBuffer.allocate(8).order(LITTLE_ENDIAN).putLong(0, options.guestCid());
  }

  private static long key(int hostPort, int guestPort) {
    return (long) hostPort << 32 | Integer.toUnsignedLong(guestPort);
  }

  /** Ends all connections. The bridge must be closed. */
  @Override
  public void close() {
    forget();
    FileCalls.close(toTell);
    FileCalls.close(roomAgain);
  }
}
