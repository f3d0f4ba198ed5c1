package hawser.block.convert;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
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
  private final Runs runs;

  Worker(Conversion how, Work work, long bufferBytes) {
    this.how = how;
    this.work = work;
    this.bufferBytes = bufferBytes;
    this.runs = new Runs(Math.max(how.sparse, how.target.limits().preferred()));
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
    if (data != null && how.sparse > 0) {
      runs.find(data, chunk.offset());
    } else {
      runs.one(chunk.length(), data == null);
    }
    if (!how.inOrder) {
      write(chunk.offset(), data);
      return;
    }
    if (!work.awaitTurn(chunk)) {
      return;
    }
    boolean inTurn = !reserve(chunk.offset());
    if (!inTurn) {
      work.passTurn();
    }
    write(chunk.offset(), data);
    if (inTurn) {
      work.passTurn();
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

  /** Whether the target gave all data of the chunk its place, so that the next chunk may come. */
  private boolean reserve(long offset) throws BlockFault {
    try {
      long from = 0;
      for (int i = 0; i < runs.count(); i++) {
        long end = runs.end(i);
        if (!runs.zero(i) && !how.target.reserve(offset + from, end - from)) {
          return false;
        }
        from = end;
      }
      return true;
    } catch (BlockFault fault) {
      throw at("writing", offset, fault);
    }
  }

  /** Writes stretches of data, and zeroes stretches of zeroes where the target needs it. */
  private void write(long offset, @Nullable MemorySegment data) throws BlockFault {
    try {
      long from = 0;
      for (int i = 0; i < runs.count(); i++) {
        long end = runs.end(i);
        if (data != null && !runs.zero(i)) {
          int flags = how.compressed ? BlockNode.COMPRESSED : 0;
          how.target.write(data.asSlice(from, end - from), offset + from, flags);
        } else if (data == null || !how.targetReadsZero) {
          how.target.writeZeroes(offset + from, end - from, BlockNode.MAY_UNMAP);
        }
        from = end;
      }
    } catch (BlockFault fault) {
      throw at("writing", offset, fault);
    }
  }

  private static BlockFault at(String doing, long offset, BlockFault fault) {
    return new BlockFault(
        fault.errno(),
        "error while %s at byte %d: %s".formatted(doing, offset, fault.errno().text()),
        fault);
  }
}
