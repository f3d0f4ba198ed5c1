package hawser.vhost.frontend;

import hawser.base.Wire;
import java.lang.foreign.MemorySegment;

/**
 * The configuration of a block device (virtio, "Block Device", "Device configuration layout").
 * Sizes are bytes, except the capacity and what is counted in sectors of 512 bytes, and what is
 * counted in blocks of {@code blkSize}; a physical block has 2 to the power of {@code
 * physicalBlockExp} of these. A field means something only with its feature.
 */
public record BlkConfig(
    long capacity,
    int sizeMax,
    int segMax,
    int blkSize,
    int physicalBlockExp,
    int minIoBlocks,
    int optIoBlocks,
    boolean writeback,
    int numQueues,
    int maxDiscardSectors,
    int maxDiscardSeg,
    int discardSectorAlignment,
    int maxWriteZeroesSectors,
    int maxWriteZeroesSeg,
    boolean writeZeroesMayUnmap) {
  /** Bytes that every vhost-user back-end has: up to and with write zeroes. */
  public static final int BYTES = 60;

  /** Where the switch of the write cache is. */
  public static final int WRITEBACK_AT = 32;

  /** Reads {@link #BYTES} of configuration. */
  public static BlkConfig read(byte[] bytes) {
    var in = MemorySegment.ofArray(bytes);
    return new BlkConfig(
        in.get(Wire.LE64, 0),
        in.get(Wire.LE32, 8),
        in.get(Wire.LE32, 12),
        in.get(Wire.LE32, 20),
        Byte.toUnsignedInt(bytes[24]),
        Short.toUnsignedInt(in.get(Wire.LE16, 26)),
        in.get(Wire.LE32, 28),
        bytes[WRITEBACK_AT] != 0,
        Short.toUnsignedInt(in.get(Wire.LE16, 34)),
        in.get(Wire.LE32, 36),
        in.get(Wire.LE32, 40),
        in.get(Wire.LE32, 44),
        in.get(Wire.LE32, 48),
        in.get(Wire.LE32, 52),
        bytes[56] != 0);
  }
}
