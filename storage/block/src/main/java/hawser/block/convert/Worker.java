package hawser.block.convert;

import hawser.base.BlockFault;
import hawser.base.Ranges;
import hawser.block.BlockNode;
import hawser.block.ZeroBytes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** One thread of a conversion: takes chunks, reads them, and writes what is not zero. */
final class Worker implements Runnable {
  private static final int SECTOR = 512;

  /** Also right for O_DIRECT. */
  private static final int ALIGNMENT = 4096;

  private final Conversion how;
  private final Work work;
  private final long bufferBytes;

  Worker(Conversion how, Work work, long bufferBytes) {
    this.how = how;
    this.work = work;
    this.bufferBytes = bufferBytes;
  }

  @Override
  public void run() {
    try (var arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(bufferBytes, ALIGNMENT);
      for (Chunk chunk = work.take(); chunk != null; chunk = work.take()) {
        handle(chunk, buffer);
      }
    } catch (Throwable failure) {
      work.fail(failure);
    }
  }

  private void handle(Chunk chunk, MemorySegment buffer) throws BlockFault {
    if (how.offload && chunk.action() == Chunk.Action.COPY && copiedByKernel(chunk)) {
      return;
    }
    MemorySegment data = null;
    if (chunk.action() == Chunk.Action.COPY) {
      data = buffer.asSlice(0, chunk.length());
      read(data, chunk.offset());
    }
    if (how.inOrder) {
      if (!work.awaitTurn(chunk)) {
        return;
      }
      write(chunk, data);
      work.passTurn();
    } else {
      write(chunk, data);
    }
  }

  /** False when this pair of disks cannot; what was copied until then is copied again. */
  private boolean copiedByKernel(Chunk chunk) throws BlockFault {
    long end = chunk.offset() + chunk.length();
    if (end > how.source.length()) {
      return false; // The odd end of the last sector must become zeroes.
    }
    long at = chunk.offset();
    while (at < end) {
      long count = how.source.copyTo(at, how.target, at, end - at);
      if (count == 0) {
        return false;
      }
      at += count;
    }
    return true;
  }

  private void read(MemorySegment into, long offset) throws BlockFault {
    long stored = Math.clamp(how.source.length() - offset, 0, into.byteSize());
    into.asSlice(stored).fill((byte) 0);
    try {
      how.source.read(into.asSlice(0, stored), offset);
    } catch (BlockFault fault) {
      if (!how.salvage) {
        throw at("reading", offset, fault);
      }
      readWhatCanBe(into.asSlice(0, stored), offset);
    }
  }

  private void readWhatCanBe(MemorySegment into, long offset) {
    for (long done = 0; done < into.byteSize(); done += SECTOR) {
      MemorySegment sector = into.asSlice(done, Math.min(SECTOR, into.byteSize() - done));
      try {
        how.source.read(sector, offset + done);
      } catch (BlockFault fault) {
        work.warn(
            "error while reading offset %d: %s".formatted(offset + done, fault.errno().text()));
        sector.fill((byte) 0);
      }
    }
  }

  private void write(Chunk chunk, @Nullable MemorySegment data) throws BlockFault {
    try {
      if (data == null) {
        how.target.writeZeroes(chunk.offset(), chunk.length(), BlockNode.MAY_UNMAP);
      } else if (how.sparse == 0) {
        how.target.write(data, chunk.offset(), how.compressed ? BlockNode.COMPRESSED : 0);
      } else {
        writeRuns(data, chunk.offset());
      }
    } catch (BlockFault fault) {
      throw at("writing", chunk.offset(), fault);
    }
  }

  /** Writes stretches of data, and zeroes stretches of zeroes where the target needs it. */
  private void writeRuns(MemorySegment data, long offset) throws BlockFault {
    long unit = Math.max(how.sparse, how.target.limits().preferred());
    long start = 0;
    while (start < data.byteSize()) {
      long unitEnd = unitEnd(data, offset, start, unit);
      boolean zero = ZeroBytes.only(data, start, unitEnd);
      long end = unitEnd;
      while (end < data.byteSize()) {
        unitEnd = unitEnd(data, offset, end, unit);
        if (ZeroBytes.only(data, end, unitEnd) != zero) {
          break;
        }
        end = unitEnd;
      }
      writeRun(data.asSlice(start, end - start), offset + start, zero);
      start = end;
    }
  }

  private void writeRun(MemorySegment run, long offset, boolean zero) throws BlockFault {
    if (!zero) {
      how.target.write(run, offset, how.compressed ? BlockNode.COMPRESSED : 0);
    } else if (!how.targetReadsZero) {
      how.target.writeZeroes(offset, run.byteSize(), BlockNode.MAY_UNMAP);
    }
  }

  /** Units lie at multiples of themselves on the disk, not in the buffer. */
  private static long unitEnd(MemorySegment data, long offset, long start, long unit) {
    long end = Ranges.alignDown(offset + start, Long.highestOneBit(unit)) + unit - offset;
    return Math.min(data.byteSize(), Math.max(end, start + SECTOR));
  }

  private static BlockFault at(String doing, long offset, BlockFault fault) {
    return new BlockFault(
        fault.errno(),
        "error while %s at byte %d: %s".formatted(doing, offset, fault.errno().text()),
        fault);
  }
}
