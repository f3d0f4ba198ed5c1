package hawser.block;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Runs of zero bytes: telling them, and having some to write. */
public final class ZeroBytes {
  /** The length of {@link #SOURCE}. */
  public static final int SOURCE_BYTES = 1 << 16;

  /** Zeroes to write from; read-only, aligned for direct access. */
  public static final MemorySegment SOURCE =
      Arena.global().allocate(SOURCE_BYTES, 4096).asReadOnly();

  /** Checked first: most data is not zero within this. */
  private static final int FIRST_LOOK = 64;

  private ZeroBytes() {}

  /** Whether every byte of a native segment is zero; true when it is empty. */
  public static boolean only(MemorySegment bytes) {
    long length = bytes.byteSize();
    long look = Math.min(length, FIRST_LOOK);
    if (differs(bytes, 0, look) || differs(bytes, length - look, length)) {
      return false;
    }
    for (long at = look; at < length; at += SOURCE_BYTES) {
      if (differs(bytes, at, Math.min(length, at + SOURCE_BYTES))) {
        return false;
      }
    }
    return true;
  }

  /** Whether every byte from {@code start} up to {@code end} is zero, without making a slice. */
  public static boolean only(MemorySegment bytes, long start, long end) {
    for (long at = start; at < end; at += SOURCE_BYTES) {
      if (differs(bytes, at, Math.min(end, at + SOURCE_BYTES))) {
        return false;
      }
    }
    return true;
  }

  /** Where the first byte that is not zero lies between {@code start} and {@code end}, or end. */
  public static long firstOther(MemorySegment bytes, long start, long end) {
    for (long at = start; at < end; at += SOURCE_BYTES) {
      long length = Math.min(SOURCE_BYTES, end - at);
      long found = MemorySegment.mismatch(bytes, at, at + length, SOURCE, 0, length);
      if (found != -1) {
        return at + found;
      }
    }
    return end;
  }

  private static boolean differs(MemorySegment bytes, long from, long to) {
    return MemorySegment.mismatch(bytes, from, to, SOURCE, 0, to - from) != -1;
  }
}
