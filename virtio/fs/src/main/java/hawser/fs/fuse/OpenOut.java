package hawser.fs.fuse;

import static hawser.base.Wire.LE32;
import static hawser.base.Wire.LE64;

import java.lang.foreign.MemorySegment;

/**
 * An open file (struct fuse_open_out).
 *
 * @param handle what later requests name it by
 * @param flags how the kernel is to treat it
 */
public record OpenOut(long handle, int flags) {
  /** Bytes of the structure. */
  public static final int BYTES = 16;

  /** Past the guest's page cache. */
  public static final int DIRECT_IO = 1;

  /** What the guest has cached of the file is still true. */
  public static final int KEEP_CACHE = 1 << 1;

  /** The guest may cache the directory's listing. */
  public static final int CACHE_DIR = 1 << 3;

  /** No FLUSH is needed at close. */
  public static final int NOFLUSH = 1 << 5;

  /** Direct writes may go in parallel. */
  public static final int PARALLEL_DIRECT_WRITES = 1 << 6;

  /** Writes the structure. */
  public void write(MemorySegment out, long at) {
    out.set(LE64, at, handle);
    out.set(LE32, at + 8, flags);
    out.set(LE32, at + 12, 0);
  }
}
