package hawser.nbd.server;

import java.util.ArrayDeque;
import java.util.List;
import java.util.stream.Stream;

/**
 * The memory that all connections of a server share for requests which do not fit their own small
 * buffers. Bounded: whoever would exceed the bound waits until others are done, except that a
 * connection which holds nothing always gets one buffer, so that nobody waits for ever.
 */
final class BufferPool {
  /** Bytes handed out at most, but for that exception. Keeps 16 busy clients under 150 MiB. */
  static final long BYTES_MAX = 48L << 20;

  /** Bytes kept for reuse when nobody holds them. */
  private static final long IDLE_BYTES_MAX = 16L << 20;

  private final List<ArrayDeque<Buffer>> idle =
      Stream.generate(ArrayDeque<Buffer>::new).limit(Buffer.CLASSES).toList();
  private long idleBytes;
  private long lentBytes;

  /**
   * A buffer for so many bytes.
   *
   * @param entitled whether the caller's connection holds none and so does not wait
   */
  synchronized Buffer take(int bytes, boolean entitled) {
    int sizeClass = Buffer.classFor(bytes);
    long size = Buffer.capacity(sizeClass);
    boolean interrupted = false;
    while (!entitled && lentBytes + size > BYTES_MAX) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    lentBytes += size;
    Buffer kept = idle.get(sizeClass).pollLast();
    if (kept != null) {
      idleBytes -= size;
      return kept;
    }
    return new Buffer(sizeClass);
  }

  /** Whether {@link #take} would wait, were the caller not entitled. */
  synchronized boolean lacks(int bytes) {
    return lentBytes + Buffer.capacity(Buffer.classFor(bytes)) > BYTES_MAX;
  }

  /** Gives a buffer back. */
  synchronized void give(Buffer buffer) {
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
