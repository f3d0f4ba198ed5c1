package hawser.devices.vsock;

import hawser.base.Errno;
import hawser.sys.FileCalls;
import hawser.sys.Iovecs;
import hawser.sys.Result;
import hawser.sys.SocketCalls;
import hawser.vhost.ring.Chain;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A connection between a port of the guest's and a unix socket, with the credit of both sides
 * (virtio, "Buffer space management"): nobody sends more than the other has room for. Belongs to
 * whoever holds the {@link Switchboard}.
 */
final class Stream {
  /** readv and writev of sockets: at no offset. */
  private static final long NO_OFFSET = -1;

  /** Bytes of one packet to the guest at most. */
  private static final int PACKET_BYTES_MAX = 64 << 10;

  static final int UNWATCHED = -1;

  final int fd;

  /** The number by which the bridge knows it. */
  final long number;

  final int hostPort;
  final int guestPort;
  private final int room;

  /** The guest has not answered yet. */
  boolean requested;

  /** It waits for a buffer of the guest's. */
  boolean ready;

  /** The unix socket's other end has nothing more to say. */
  boolean finished;

  /** Nobody is at the unix socket's other end. */
  boolean abandoned;

  /** The connection is over; what still refers to it is too late. */
  boolean over;

  /** A packet about credit waits to be sent. */
  boolean creditDue;

  /** What the bridge waits for on the socket, or {@link #UNWATCHED}. */
  int watched = UNWATCHED;

  /** The {@link Op#SHUTDOWN} flags that the guest has sent. */
  int guestShutdown;

  private @Nullable MemorySegment backlog;
  private int backlogAt;
  private int backlogBytes;
  private int received;
  private int forwarded;
  private int forwardedAsTold;
  private int sent;
  private int guestRoom;
  private int guestForwarded;

  /** A stream on a socket that does not wait, with room for so many bytes of the guest's. */
  Stream(int fd, long number, int hostPort, int guestPort, int room) {
    this.fd = fd;
    this.number = number;
    this.hostPort = hostPort;
    this.guestPort = guestPort;
    this.room = room;
  }

  /** The guest says what it has room for. */
  void guestCredit(Header header) {
    guestRoom = header.bufAlloc();
    guestForwarded = header.fwdCnt();
  }

  /** How many bytes the guest has room for; a guest that contradicts itself has none. */
  long credit() {
    long underWay = Integer.toUnsignedLong(sent - guestForwarded);
    return Math.max(0, Integer.toUnsignedLong(guestRoom) - underWay);
  }

  /** Bytes of the guest's that the unix socket has not taken. */
  int backlogBytes() {
    return backlogBytes;
  }

  /** Whether so many more bytes keep to the credit that the guest has. */
  boolean hasRoom(int bytes) {
    return bytes >= 0 && bytes <= room - backlogBytes;
  }

  /** Whether the guest should hear that it has more room than it knows of. */
  boolean roomIsNews() {
    int known = room - (received - forwardedAsTold);
    return forwarded != forwardedAsTold && known < room / 2;
  }

  /** The header of a packet of this connection's to the guest. */
  Header header(Op op, long guestCid, int length, int flags) {
    forwardedAsTold = forwarded;
    return new Header(
        Header.HOST_CID,
        guestCid,
        hostPort,
        guestPort,
        length,
        Header.STREAM,
        op.number,
        flags,
        room,
        forwarded);
  }

  /**
   * Passes a packet's payload on, as far as the socket takes it now; the rest waits here. There
   * must be {@link #hasRoom}. What nobody will ever read is dropped.
   */
  void take(Chain chain, int bytes, Iovecs vector) {
    received += bytes;
    long done = 0;
    if (backlogBytes == 0 && bytes > 0) {
      vector.clear();
      chain.addReadable(vector, Header.BYTES, bytes);
      done = taken(FileCalls.pwritev2(fd, vector, NO_OFFSET, 0));
    }
    if (abandoned) {
      forwarded = received;
    } else {
      keep(chain, done, bytes - (int) done);
    }
  }

  /** How many bytes a call has moved; one that failed for good has found nobody there. */
  private long taken(long result) {
    if (!Result.failed(result)) {
      forwarded += (int) result;
      return result;
    }
    abandoned |= Result.errno(result) != Errno.EAGAIN;
    return 0;
  }

  /** Appends a part of a payload to the backlog, which goes round in its memory. */
  private void keep(Chain chain, long from, int bytes) {
    if (bytes == 0) {
      return;
    }
    MemorySegment kept = backlog == null ? Arena.ofAuto().allocate(room) : backlog;
    backlog = kept;
    int end = (backlogAt + backlogBytes) % room;
    int first = Math.min(bytes, room - end);
    chain.read(Header.BYTES + from, kept.asSlice(end, first));
    chain.read(Header.BYTES + from + first, kept.asSlice(0, bytes - first));
    backlogBytes += bytes;
  }

  /** Passes on what waits, as far as the socket takes it. */
  void flush() {
    MemorySegment kept = backlog;
    long done = 1;
    while (kept != null && backlogBytes > 0 && done > 0) {
      int piece = Math.min(backlogBytes, room - backlogAt);
      done = taken(SocketCalls.send(fd, kept.asSlice(backlogAt, piece)));
      backlogAt = (backlogAt + (int) done) % room;
      backlogBytes -= (int) done;
    }
    if (abandoned) {
      backlogBytes = 0;
      forwarded = received;
    }
  }

  /**
   * Fills a buffer of the guest's behind the place of the header, within its credit. Answers how
   * many bytes, 0 at the end of the stream, or a negated error number.
   */
  long fill(Chain chain, Iovecs vector) {
    long most = Math.min(credit(), chain.writableBytes() - Header.BYTES);
    vector.clear();
    chain.addWritable(vector, Header.BYTES, Math.min(most, PACKET_BYTES_MAX));
    long count = FileCalls.preadv2(fd, vector, NO_OFFSET, 0);
    if (!Result.failed(count)) {
      sent += (int) count;
    }
    return count;
  }
}
