package hawser.blk;

import hawser.block.Limits;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The configuration space (virtio 1.3, "Block Device", "Device configuration layout"). */
final class BlkConfig {
  /** Bytes up to and with the write zeroes fields; later ones are of features not offered. */
  static final int BYTES = 60;

  static final int SECTOR_BYTES = 512;

  /** Pieces of one request: what a ring of 128 can carry, beside header and status. */
  static final int SEGMENTS_MAX = 126;

  /** Segments of one discard or write zeroes request. */
  static final int RANGES_MAX = 256;

  /** Sectors of one such segment: 2 GiB, so that no request keeps a worker for long. */
  static final int RANGE_SECTORS_MAX = 1 << 22;

  /** What file systems can have for a sector; where more is preferred, that is only a hint. */
  private static final int PHYSICAL_BLOCK_MAX = 4096;

  private static final int SHORT_MAX = 0xffff;

  private static final int WCE_AT = 32;

  private BlkConfig() {}

  static ByteBuffer of(long length, Limits limits, boolean writeCache, int queues) {
    int block = blockSize(limits);
    int preferred = Math.max(block, limits.preferred());
    int physical = Math.min(preferred, PHYSICAL_BLOCK_MAX);
    int discards = Math.max(block, limits.discardUnit());
    var config = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    config.putLong(length / SECTOR_BYTES);
    config.putInt(0).putInt(SEGMENTS_MAX);
    config.putInt(0);
    config.putInt(block);
    config.put((byte) Integer.numberOfTrailingZeros(Math.max(1, physical / block))).put((byte) 0);
    config.putShort((short) Math.min(preferred / block, SHORT_MAX));
    config.putInt(Math.max(preferred, discards) / block);
    config.put((byte) (writeCache ? 1 : 0)).put((byte) 0).putShort((short) queues);
    config.putInt(RANGE_SECTORS_MAX).putInt(RANGES_MAX).putInt(discards / SECTOR_BYTES);
    config.putInt(RANGE_SECTORS_MAX).putInt(RANGES_MAX).put((byte) 1);
    return config.clear();
  }

  /** The logical block size that the driver keeps to, in bytes. */
  static int blockSize(Limits limits) {
    return Math.max(SECTOR_BYTES, limits.alignment());
  }

  /** What a write to the configuration space says of the write cache, or -1 if it is about else. */
  static int writeCache(int offset, ByteBuffer content) {
    return offset == WCE_AT && content.remaining() == 1 ? content.get(content.position()) & 1 : -1;
  }
}
