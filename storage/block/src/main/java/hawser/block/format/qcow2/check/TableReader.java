package hawser.block.format.qcow2.check;

import static hawser.base.Wire.BE64;

import hawser.base.BlockFault;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Reads tables of 64-bit entries through one buffer that grows to {@link #BUFFER_BYTES}. Used by
 * one thread at a time; closing frees the buffer.
 */
final class TableReader implements AutoCloseable {
  /** Bytes of the buffer: one request to the file. The largest cluster fits. */
  static final int BUFFER_BYTES = 2 << 20;

  private final PaddedFile file;
  private static final int FIRST_BYTES = 64 << 10;
  private static final int ALIGNMENT = 4096;

  private final Arena arena = Arena.ofShared();
  private MemorySegment buffer = arena.allocate(FIRST_BYTES, ALIGNMENT);

  TableReader(PaddedFile file) {
    this.file = file;
  }

  /** Reads {@code count} entries from any byte of the file into the start of an array. */
  void read(long offset, long[] into, int count) throws BlockFault {
    MemorySegment bytes = bytes(offset, 8L * count);
    MemorySegment.copy(bytes, BE64, 0, into, 0, count);
  }

  /** Reads at most {@link #BUFFER_BYTES}; valid until the next call. */
  MemorySegment bytes(long offset, long length) throws BlockFault {
    if (length > buffer.byteSize()) {
      // At least doubled, so that the outgrown ones take no more than the last.
      long bytes = Math.min(BUFFER_BYTES, Math.max(length, 2 * buffer.byteSize()));
      buffer = arena.allocate(bytes, ALIGNMENT);
    }
    MemorySegment piece = buffer.asSlice(0, length);
    file.read(piece, offset);
    return piece;
  }

  @Override
  public void close() {
    arena.close();
  }
}
