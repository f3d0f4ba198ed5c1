package hawser.fs.fuse;

import static hawser.base.Wire.LE16;
import static hawser.base.Wire.LE32;
import static hawser.base.Wire.LE64;

import java.lang.foreign.MemorySegment;

/**
 * What every request begins with (struct fuse_in_header).
 *
 * @param length bytes of the request with this header
 * @param opcode what is asked for, known or not
 * @param unique the request's number, for its reply and for INTERRUPT
 * @param nodeId the inode it is about; 0 where it is about none
 * @param uid who asks
 * @param gid that one's group
 * @param pid that one's process; 0 for the kernel itself
 * @param extensionBytes how much of the request's end are extensions
 */
public record RequestHeader(
    int length,
    int opcode,
    long unique,
    long nodeId,
    int uid,
    int gid,
    int pid,
    int extensionBytes) {
  /** Bytes of the header. */
  public static final int BYTES = 40;

  private static final int EXTENSION_UNIT_BYTES = 8;

  /** The length alone, of the header at the beginning of {@code in}. */
  public static int length(MemorySegment in) {
    return in.get(LE32, 0);
  }

  /** The opcode alone. */
  public static int opcode(MemorySegment in) {
    return in.get(LE32, 4);
  }

  /** The request's number alone. */
  public static long unique(MemorySegment in) {
    return in.get(LE64, 8);
  }

  /** Reads it from the beginning of {@code in}. */
  public static RequestHeader read(MemorySegment in) {
    return new RequestHeader(
        length(in),
        opcode(in),
        unique(in),
        in.get(LE64, 16),
        in.get(LE32, 24),
        in.get(LE32, 28),
        in.get(LE32, 32),
        Short.toUnsignedInt(in.get(LE16, 36)) * EXTENSION_UNIT_BYTES);
  }
}
