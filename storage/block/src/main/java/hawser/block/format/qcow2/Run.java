package hawser.block.format.qcow2;

import org.jspecify.annotations.Nullable;

/**
 * What a lookup found: a range that starts at the guest offset asked for and is of one kind
 * throughout. Mutable and reused, so that a request on mapped clusters allocates nothing; belongs
 * to one thread.
 */
final class Run {
  /** What a range holds. */
  enum Kind {
    /** Nothing here; the backing file's, or zeroes. */
    UNALLOCATED,
    /** Nothing here, but the subclusters have room waiting in an allocated cluster. */
    UNALLOCATED_RESERVED,
    /** Zeroes, without room. */
    ZERO,
    /** Zeroes, with room that keeps waiting. */
    ZERO_RESERVED,
    /** Stored as it is, at {@link #host}, one piece. */
    DATA,
    /** One compressed cluster; {@link #entry} says where. */
    COMPRESSED,
    /** The tables contradict themselves; {@link #entry} is the culprit. */
    INVALID;

    /** Whether {@link Run#host} means something. */
    boolean hasHost() {
      return this == DATA || this == ZERO_RESERVED || this == UNALLOCATED_RESERVED;
    }

    /** Whether it reads as zeroes because this image says so. */
    boolean zero() {
      return this == ZERO || this == ZERO_RESERVED;
    }

    /** Whether this image leaves it to its backing file. */
    boolean unallocated() {
      return this == UNALLOCATED || this == UNALLOCATED_RESERVED;
    }
  }

  private static final int ENTRIES = 128;

  Kind kind = Kind.INVALID;

  /** Bytes, at least 1. */
  long length;

  /** Host offset of the first byte, when the kind has one. */
  long host;

  /** The raw entry of the first cluster. */
  long entry;

  /** Whether the clusters belong to this mapping alone, and may be written in place. */
  boolean copied;

  /** Room for entries that are looked at together; made when first needed. */
  private long @Nullable [] entries;

  long[] entries() {
    long[] room = entries;
    if (room == null) {
      room = new long[ENTRIES];
      entries = room;
    }
    return room;
  }

  void set(Kind newKind, long newLength) {
    kind = newKind;
    length = newLength;
    host = 0;
    entry = 0;
    copied = false;
  }
}
