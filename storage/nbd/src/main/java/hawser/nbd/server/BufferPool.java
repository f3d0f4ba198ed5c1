package hawser.nbd.server;

import java.util.ArrayDeque;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The memory that all connections of a server share for requests which do not fit their own small
 * buffers. Bounded: whoever would exceed the bound waits for requests of its own to be done, and
 * where it has none gets nothing, so that those who dawdle with what they hold keep nobody waiting.
 */
final class BufferPool {
  /** Bytes handed out or kept for reuse at most. Keeps 16 busy clients under 150 MiB. */
  static final long BYTES_MAX = 48L << 20;

  /** Bytes kept for reuse when nobody holds them. */
  private static final long IDLE_BYTES_MAX = 16L << 20;

  private final List<ArrayDeque<Buffer>> idle =
      Stream.generate(ArrayDeque<Buffer>::new).limit(Buffer.CLASSES).toList();
  private long idleBytes;
  private long lentBytes;

  /** What one connection holds. */
  static final class Share {
    private int buffers;
  }

  /**
   * A buffer for so many bytes; null when there is none left and the connection itself holds
   * nothing that could be waited for.
   */
  synchronized @Nullable Buffer take(Share share, int bytes) {
    boolean interrupted = false;
    while (lacks(bytes) && share.buffers > 0) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return takeNow(share, bytes);
  }

  /** As {@link #take}, but null wherever that would wait. */
  synchronized @Nullable Buffer takeNow(Share share, int bytes) {
    if (lacks(bytes)) {
      return null;
    }
    int sizeClass = Buffer.classFor(bytes);
    long size = Buffer.capacity(sizeClass);
    lentBytes += size;
    share.buffers++;
    Buffer kept = idle.get(sizeClass).pollLast();
    if (kept != null) {
      idleBytes -= size;
      return kept;
    }
    if (lentBytes + idleBytes > BYTES_MAX) {
      trim();
    }
    return new Buffer(sizeClass);
  }

  /** Whether so many bytes would exceed the bound. */
  synchronized boolean lacks(int bytes) {
    return lentBytes + Buffer.capacity(Buffer.classFor(bytes)) > BYTES_MAX;
  }

  /** Gives a buffer back. */
  synchronized void give(Share share, Buffer buffer) {
    share.buffers--;
    long size = Buffer.capacity(buffer.sizeClass());
    lentBytes -= size;
    if (idleBytes + size <= IDLE_BYTES_MAX) {
      idle.get(buffer.sizeClass()).addLast(buffer);
      idleBytes += size;
    } else {
      buffer.free();
    }
    notifyAll();
  }

  /** Bytes now in use by requests. */
  synchronized long lentBytes() {
    return lentBytes;
  }

  /** Frees what nobody holds. */
  synchronized void trim() {
    for (ArrayDeque<Buffer> buffers : idle) {
      buffers.forEach(Buffer::free);
      buffers.clear();
    }
    idleBytes = 0;
  }
}
