package hawser.vhost.ring;

import hawser.vhost.memory.DirtyLog;
import hawser.vhost.message.VirtioFeature;
import org.jspecify.annotations.Nullable;

/**
 * Where a ring lies and how it is used.
 *
 * @param queue index of the virtqueue, for messages
 * @param size of the ring in descriptors: 1 to {@link #SIZE_MAX}, for a split ring a power of two
 * @param descriptors host address of the descriptor table or ring
 * @param available host address of the available ring, or of the driver's event suppression
 * @param used host address of the used ring, or of the device's event suppression
 * @param features agreed virtio features
 * @param log where writes are marked, or null
 * @param logUsed guest address by which writes to the used ring, or to a packed ring's descriptors,
 *     are marked, or {@link #NOT_LOGGED}
 * @param logEvents guest address by which writes to a packed ring's event suppression are marked,
 *     or {@link #NOT_LOGGED}
 */
public record RingLayout(
    int queue,
    int size,
    long descriptors,
    long available,
    long used,
    long features,
    @Nullable DirtyLog log,
    long logUsed,
    long logEvents) {
  /** The longest ring that virtio has. */
  public static final int SIZE_MAX = 32768;

  /** {@link #logUsed}: the used ring is not marked. */
  public static final long NOT_LOGGED = -1;

  /** Bytes of a packed ring's event suppression. */
  public static final int SUPPRESSION_BYTES = 4;

  /** Bytes of a descriptor. */
  public static final int DESCRIPTOR_BYTES = 16;

  /** Bytes of a descriptor table or packed ring. */
  public static long descriptorBytes(int size) {
    return (long) size * DESCRIPTOR_BYTES;
  }

  /** Bytes of a split ring's available part, with the event index. */
  public static long availableBytes(int size) {
    return 6 + 2L * size;
  }

  /** Bytes of a split ring's used part, with the event index. */
  public static long usedBytes(int size) {
    return 6 + 8L * size;
  }

  /** Whether chains must come back in the order in which they were taken. */
  public boolean inOrder() {
    return has(VirtioFeature.IN_ORDER);
  }

  boolean has(long feature) {
    return (features & feature) != 0;
  }

  void markUsed(long offset, long bytes) {
    if (log != null && logUsed != NOT_LOGGED) {
      log.mark(logUsed + offset, bytes);
    }
  }

  void markEvents() {
    if (log != null && logEvents != NOT_LOGGED) {
      log.mark(logEvents, SUPPRESSION_BYTES);
    }
  }

  void markWritten(Chain chain) {
    if (log != null) {
      chain.mark(log);
    }
  }
}
