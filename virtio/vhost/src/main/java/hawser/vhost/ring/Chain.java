package hawser.vhost.ring;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import hawser.sys.HostMemory;
import hawser.sys.Iovecs;
import hawser.vhost.memory.DirtyLog;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * One buffer that the driver made available: a chain of descriptors, first what the device may
 * read, then what it may write (virtio, "The Virtqueue Descriptor Table"). Belongs to the device
 * from the moment it is handed over until {@link #complete}, which may come from any thread.
 *
 * <p>What a device reads the driver may change meanwhile: read once what is to be checked.
 */
public final class Chain {
  /** Descriptors of one chain; QEMU's limit too (VIRTQUEUE_MAX_SIZE). */
  public static final int PIECES_MAX = 1024;

  private final Completion completion;

  /** Which of its ring's chains this is, from 0: with a split ring the index of its head. */
  final int slot;

  /** What the driver knows the chain by. */
  int id;

  /** How many places of a packed ring it takes. */
  int places;

  /** Its first entry in the record of requests under way. */
  int record;

  volatile boolean underWay;

  private long[] guest = new long[8];
  private long[] host = new long[8];
  private long[] length = new long[8];

  /** Where each piece ends among the bytes to be read, or among those to be written. */
  private long[] end = new long[8];

  private int readable;
  private int count;
  private long readableBytes;
  private long writableBytes;

  Chain(int slot, Completion completion) {
    this.slot = slot;
    this.completion = completion;
  }

  void clear() {
    readable = 0;
    count = 0;
    readableBytes = 0;
    writableBytes = 0;
  }

  void add(long guestAddress, long hostAddress, long bytes, boolean writable) {
    if (count == host.length) {
      guest = Arrays.copyOf(guest, count * 2);
      host = Arrays.copyOf(host, count * 2);
      length = Arrays.copyOf(length, count * 2);
      end = Arrays.copyOf(end, count * 2);
    }
    guest[count] = guestAddress;
    host[count] = hostAddress;
    length[count] = bytes;
    if (writable) {
      writableBytes += bytes;
      end[count] = writableBytes;
    } else {
      readable++;
      readableBytes += bytes;
      end[count] = readableBytes;
    }
    count++;
  }

  boolean hasWritable() {
    return count > readable;
  }

  /**
   * Which of its queue's chains this is, from 0 to the queue's size: for tables of a device's own.
   * Unique among the chains under way.
   */
  public int slot() {
    return slot;
  }

  /** Whether the device has it: taken and not complete. */
  public boolean underWay() {
    return underWay;
  }

  /** Bytes that the device may read. */
  public long readableBytes() {
    return readableBytes;
  }

  /** Bytes that the device may write. */
  public long writableBytes() {
    return writableBytes;
  }

  /** Fills {@code into} from the readable bytes; they must reach. */
  public void read(long offset, MemorySegment into) {
    checkRange("read", readableBytes, offset, into.byteSize());
    copy(0, offset, into, false);
  }

  /** Copies {@code from} into the writable bytes; they must reach. */
  public void write(long offset, MemorySegment from) {
    checkRange("write", writableBytes, offset, from.byteSize());
    copy(readable, offset, from, true);
  }

  /** Writes one byte into the writable bytes. */
  public void writeByte(long offset, int value) {
    checkRange("write", writableBytes, offset, 1);
    HostMemory.ALL.set(JAVA_BYTE, hostAt(pieceAt(readable, offset), offset), (byte) value);
  }

  /** The piece, from {@code first} on, that has the byte at an offset. */
  private int pieceAt(int first, long offset) {
    int piece = first;
    while (end[piece] <= offset) {
      piece++;
    }
    return piece;
  }

  /** Where a piece has the byte at an offset. */
  private long hostAt(int piece, long offset) {
    return host[piece] + length[piece] - (end[piece] - offset);
  }

  private void copy(int first, long offset, MemorySegment other, boolean toGuest) {
    long stop = offset + other.byteSize();
    int piece = first;
    long bytes;
    for (long at = offset; at < stop; at += bytes) {
      piece = pieceAt(piece, at);
      bytes = Math.min(end[piece], stop) - at;
      long address = hostAt(piece, at);
      if (toGuest) {
        MemorySegment.copy(other, at - offset, HostMemory.ALL, address, bytes);
      } else {
        MemorySegment.copy(HostMemory.ALL, address, other, at - offset, bytes);
      }
    }
  }

  /** Appends a range of the readable bytes, as they lie in memory, to a vector. */
  public void addReadable(Iovecs vector, long offset, long bytes) {
    checkRange("read", readableBytes, offset, bytes);
    addTo(vector, 0, offset, bytes);
  }

  /** Appends a range of the writable bytes, as they lie in memory, to a vector. */
  public void addWritable(Iovecs vector, long offset, long bytes) {
    checkRange("write", writableBytes, offset, bytes);
    addTo(vector, readable, offset, bytes);
  }

  private void addTo(Iovecs vector, int first, long offset, long bytes) {
    long stop = offset + bytes;
    int piece = first;
    long here;
    for (long at = offset; at < stop; at += here) {
      piece = pieceAt(piece, at);
      here = Math.min(end[piece], stop) - at;
      vector.add(hostAt(piece, at), here);
    }
  }

  /** The index among all pieces of the first one that may be written. */
  public int firstWritable() {
    return readable;
  }

  /** The host address of a piece; pieces to be read come first. */
  public long address(int piece) {
    return host[piece];
  }

  /** The bytes of a piece. */
  public long length(int piece) {
    return length[piece];
  }

  private boolean aligned(int first, long offset, long bytes, long unit) {
    long stop = offset + bytes;
    int piece = first;
    long here;
    for (long at = offset; at < stop; at += here) {
      piece = pieceAt(piece, at);
      here = Math.min(end[piece], stop) - at;
      if (((hostAt(piece, at) | here) & (unit - 1)) != 0) {
        return false;
      }
    }
    return true;
  }

  /** Whether a range of the readable bytes lies in pieces aligned to {@code unit}. */
  public boolean readableAligned(long offset, long bytes, long unit) {
    return aligned(0, offset, bytes, unit);
  }

  /** Whether a range of the writable bytes lies in pieces aligned to {@code unit}. */
  public boolean writableAligned(long offset, long bytes, long unit) {
    return aligned(readable, offset, bytes, unit);
  }

  /** How many pieces it has, contiguous in this process. */
  public int pieces() {
    return count;
  }

  /** A range of the readable bytes as segments, for block nodes. */
  public MemorySegment[] readable(long offset, long bytes) {
    checkRange("read", readableBytes, offset, bytes);
    return segments(0, readable, offset, bytes);
  }

  /** A range of the writable bytes as segments, for block nodes. */
  public MemorySegment[] writable(long offset, long bytes) {
    checkRange("write", writableBytes, offset, bytes);
    return segments(readable, count - readable, offset, bytes);
  }

  private MemorySegment[] segments(int first, int most, long offset, long bytes) {
    var found = new MemorySegment[most];
    int used = 0;
    long stop = offset + bytes;
    int piece = first;
    long here;
    for (long at = offset; at < stop; at += here) {
      piece = pieceAt(piece, at);
      here = Math.min(end[piece], stop) - at;
      found[used++] = HostMemory.at(hostAt(piece, at), here);
    }
    return used == found.length ? found : Arrays.copyOf(found, used);
  }

  private static void checkRange(String doing, long size, long offset, long bytes) {
    if (!hawser.base.Ranges.contains(size, offset, bytes)) {
      throw new IndexOutOfBoundsException(
          "%s of %d bytes at %d of a chain of %d".formatted(doing, bytes, offset, size));
    }
  }

  /** Marks everything that the device may have written to. */
  void mark(DirtyLog log) {
    for (int piece = readable; piece < count; piece++) {
      log.mark(guest[piece], length[piece]);
    }
  }

  /**
   * Gives the chain back to the driver. The device must not touch it any more.
   *
   * @param written how many of the writable bytes, from the first, hold the answer; 0 when none was
   *     written to
   */
  public void complete(long written) {
    completion.complete(this, written);
  }

  /**
   * Lets go of a chain that the device has not begun to serve: it stays in the record of requests
   * under way, and whoever goes on with the queue serves it. Only for handlers that were told so by
   * {@link hawser.vhost.backend.QueueHandler#suspending}.
   */
  public void suspend() {
    underWay = false;
    completion.suspend(this);
  }
}
