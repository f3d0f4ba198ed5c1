package hawser.fs.fuse;

import static hawser.base.Wire.LE32;
import static hawser.base.Wire.LE64;

import java.lang.foreign.MemorySegment;

/**
 * What READ and WRITE say before any data (struct fuse_read_in, struct fuse_write_in), read where
 * it lies: they are too frequent to make objects of.
 */
public final class TransferIn {
  /** Bytes of the structure, which is the same for both as far as it counts here. */
  public static final int BYTES = 40;

  /** A flag of WRITE's: take the file's set-user-ID and set-group-ID bits away. */
  public static final int KILL_SUIDGID = 1 << 2;

  private TransferIn() {}

  /** The open file. */
  public static long handle(MemorySegment in) {
    return in.get(LE64, 0);
  }

  /** Where in the file, in bytes. */
  public static long offset(MemorySegment in) {
    return in.get(LE64, 8);
  }

  /** How many bytes, unsigned. */
  public static long size(MemorySegment in) {
    return Integer.toUnsignedLong(in.get(LE32, 16));
  }

  /** WRITE's flags. */
  public static int flags(MemorySegment in) {
    return in.get(LE32, 20);
  }
}
