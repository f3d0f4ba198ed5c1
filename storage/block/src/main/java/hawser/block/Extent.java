package hawser.block;

import org.jspecify.annotations.Nullable;

/**
 * What is known of a range without reading it.
 *
 * @param offset first byte, in the disk that was asked
 * @param length bytes, at least 1
 * @param kind whether the bytes are stored and whether they are zero
 * @param depth which layer defines the bytes: 0 the disk that was asked, 1 its backing file, and so
 *     on; for {@link Kind#UNALLOCATED} the depth of the layer that was asked last
 * @param hostOffset where the bytes lie in {@code host}, or {@link #NOWHERE}
 * @param host the node whose bytes they are, when {@code hostOffset} is known
 */
public record Extent(
    long offset, long length, Kind kind, int depth, long hostOffset, @Nullable BlockNode host) {

  /** {@link #hostOffset} of bytes that lie in no one place. */
  public static final long NOWHERE = -1;

  /** What a range holds. */
  public enum Kind {
    /** Stored bytes that may be anything. */
    DATA,
    /** Stored bytes, compressed. */
    COMPRESSED,
    /** Stored bytes that are known to be zero: their place in the file beneath is a hole. */
    DATA_ZERO,
    /** Reads as zeroes, because a layer says so; no room is taken. */
    ZERO,
    /** Reads as zeroes; room is taken. */
    ZERO_ALLOCATED,
    /** Reads as zeroes, because no layer defines it. */
    UNALLOCATED;

    /** Whether the bytes are surely zero. */
    public boolean zero() {
      return this != DATA && this != COMPRESSED;
    }

    /** Whether bytes are stored, be they known or not. */
    public boolean data() {
      return this == DATA || this == COMPRESSED || this == DATA_ZERO;
    }

    /** Whether a layer defines the bytes. */
    public boolean allocated() {
      return this != UNALLOCATED;
    }
  }

  /** An extent whose bytes lie in no one place that matters. */
  public static Extent of(long offset, long length, Kind kind) {
    return new Extent(offset, length, kind, 0, NOWHERE, null);
  }

  /** First byte after it. */
  public long end() {
    return offset + length;
  }

  /** The same, moved in the disk's own space and cut to {@code length}. */
  public Extent at(long newOffset, long newLength) {
    return new Extent(newOffset, newLength, kind, depth, hostOffset, host);
  }

  /** The same, one or more layers further down. */
  public Extent deeper(int layers) {
    return new Extent(offset, length, kind, depth + layers, hostOffset, host);
  }
}
