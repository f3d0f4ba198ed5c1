package hawser.blk;

import static hawser.blk.BlkConfig.SECTOR_BYTES;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.Ranges;
import hawser.base.Wire;
import hawser.block.BlockNode;
import hawser.vhost.ring.Chain;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.BooleanSupplier;

/** What the requests of a guest mean to a node. Blocks; safe from any thread. */
record NodeRequests(BlockNode node, boolean readOnly, String serial, BooleanSupplier writeCache) {
  private static final int ID_BYTES = 20;
  private static final int RANGE_BYTES = 16;
  private static final int FLAG_UNMAP = 1;

  /** The flags of a write: without a write cache it must be durable when it is done. */
  int writeFlags() {
    return writeCache.getAsBoolean() ? 0 : BlockNode.FUA;
  }

  /** Whether a read or write of {@code bytes} at a sector stays inside the disk. */
  boolean inside(long sector, long bytes) throws BlockFault {
    return sector >= 0
        && sector <= Long.MAX_VALUE / SECTOR_BYTES
        && bytes % SECTOR_BYTES == 0
        && Ranges.contains(node.length(), sector * SECTOR_BYTES, bytes);
  }

  /** Serves a request and answers its status. */
  Status serve(RequestType type, long sector, Chain chain) {
    try {
      return switch (type) {
        case IN -> read(sector, chain);
        case OUT -> write(sector, chain);
        case FLUSH -> flush();
        case GET_ID -> id(chain);
        case DISCARD, WRITE_ZEROES -> ranges(type, chain);
        case UNKNOWN -> Status.UNSUPPORTED;
      };
    } catch (BlockFault e) {
      return Status.of(e);
    }
  }

  private Status read(long sector, Chain chain) throws BlockFault {
    long bytes = chain.writableBytes() - 1;
    if (!inside(sector, bytes)) {
      return Status.IO_ERROR;
    }
    node.read(chain.writable(0, bytes), sector * SECTOR_BYTES);
    return Status.OK;
  }

  private Status write(long sector, Chain chain) throws BlockFault {
    long bytes = chain.readableBytes() - BlkQueue.HEADER_BYTES;
    if (readOnly || !inside(sector, bytes)) {
      return Status.IO_ERROR;
    }
    MemorySegment[] data = chain.readable(BlkQueue.HEADER_BYTES, bytes);
    node.write(data, sector * SECTOR_BYTES, writeFlags());
    return Status.OK;
  }

  private Status flush() throws BlockFault {
    node.flush();
    return Status.OK;
  }

  private Status id(Chain chain) {
    byte[] id = Arrays.copyOf(serial.getBytes(StandardCharsets.US_ASCII), ID_BYTES);
    long room = Math.min(ID_BYTES, chain.writableBytes() - 1);
    try (var arena = Arena.ofConfined()) {
      MemorySegment from = arena.allocate(ID_BYTES).copyFrom(MemorySegment.ofArray(id));
      chain.write(0, from.asSlice(0, room));
    }
    return Status.OK;
  }

  private Status ranges(RequestType type, Chain chain) throws BlockFault {
    long bytes = chain.readableBytes() - BlkQueue.HEADER_BYTES;
    if (readOnly
        || bytes == 0
        || bytes % RANGE_BYTES != 0
        || bytes > (long) BlkConfig.RANGES_MAX * RANGE_BYTES) {
      return Status.IO_ERROR;
    }
    try (var arena = Arena.ofConfined()) {
      MemorySegment ranges = arena.allocate(bytes, 8);
      chain.read(BlkQueue.HEADER_BYTES, ranges);
      for (long at = 0; at < bytes; at += RANGE_BYTES) {
        Status status = checkRange(type, ranges, at);
        if (status != Status.OK) {
          return status;
        }
      }
      for (long at = 0; at < bytes; at += RANGE_BYTES) {
        changeRange(type, ranges, at);
      }
    }
    return Status.OK;
  }

  private Status checkRange(RequestType type, MemorySegment ranges, long at) throws BlockFault {
    int sectors = ranges.get(Wire.LE32, at + 8);
    int flags = ranges.get(Wire.LE32, at + 12);
    int allowed = type == RequestType.WRITE_ZEROES ? FLAG_UNMAP : 0;
    if ((flags & ~allowed) != 0) {
      return Status.UNSUPPORTED;
    }
    boolean fits =
        sectors >= 0
            && sectors <= BlkConfig.RANGE_SECTORS_MAX
            && inside(ranges.get(Wire.LE64, at), (long) sectors * SECTOR_BYTES);
    return fits ? Status.OK : Status.IO_ERROR;
  }

  private void changeRange(RequestType type, MemorySegment ranges, long at) throws BlockFault {
    long offset = ranges.get(Wire.LE64, at) * SECTOR_BYTES;
    long length = ranges.get(Wire.LE32, at + 8) * (long) SECTOR_BYTES;
    boolean unmap = (ranges.get(Wire.LE32, at + 12) & FLAG_UNMAP) != 0;
    if (length == 0) {
      return;
    }
    if (type == RequestType.DISCARD) {
      node.discard(offset, length);
    } else {
      node.writeZeroes(offset, length, writeFlags() | (unmap ? BlockNode.MAY_UNMAP : 0));
    }
  }

  /** How a request ended, as the driver is told. */
  enum Status {
    OK(0),
    IO_ERROR(1),
    UNSUPPORTED(2);

    final int number;

    Status(int number) {
      this.number = number;
    }

    static Status of(BlockFault fault) {
      return fault.errno() == Errno.EOPNOTSUPP ? UNSUPPORTED : IO_ERROR;
    }
  }
}
