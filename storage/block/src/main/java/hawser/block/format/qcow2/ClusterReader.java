package hawser.block.format.qcow2;

import hawser.base.BlockFault;
import hawser.block.BlkdebugEvent;
import hawser.block.BlockNode;
import hawser.block.format.qcow2.layout.Geometry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Reads what the guest sees: one read of the file for each run of clusters that lie together. */
final class ClusterReader {
  private final Tables tables;
  private final Geometry geometry;
  private final HostFile file;
  private final HostFile data;
  private final @Nullable BlockNode backing;
  private final Decompressor decompressor;
  private final DataEpochs epochs;
  private final ThreadLocal<Run> runs = ThreadLocal.withInitial(Run::new);

  ClusterReader(
      Tables tables,
      HostFile file,
      HostFile data,
      @Nullable BlockNode backing,
      Decompressor decompressor,
      DataEpochs epochs) {
    this.tables = tables;
    this.geometry = tables.geometry();
    this.file = file;
    this.data = data;
    this.backing = backing;
    this.decompressor = decompressor;
    this.epochs = epochs;
  }

  /** Fills {@code into} from {@code guest}; the range lies inside the mapping. */
  void read(MemorySegment into, long guest) throws BlockFault {
    Run run = runs.get();
    int ticket = epochs.enter();
    try {
      long done = 0;
      long total = into.byteSize();
      while (done < total) {
        tables.lookup(run, guest + done, total - done);
        long length = run.length;
        readRun(
            run, done == 0 && length == total ? into : into.asSlice(done, length), guest + done);
        done += length;
      }
    } finally {
      epochs.leave(ticket);
    }
  }

  private void readRun(Run run, MemorySegment into, long guest) throws BlockFault {
    switch (run.kind) {
      case DATA -> {
        file.event(BlkdebugEvent.READ_AIO);
        data.read(into, run.host);
      }
      case ZERO, ZERO_RESERVED -> into.fill((byte) 0);
      case UNALLOCATED, UNALLOCATED_RESERVED -> readBacking(into, guest);
      case COMPRESSED -> readCompressed(run.entry, into, guest);
      case INVALID -> throw new AssertionError("an invalid run was let through");
    }
  }

  private void readBacking(MemorySegment into, long guest) throws BlockFault {
    long there = backing == null ? 0 : backing.length() - guest;
    if (backing != null && there > 0) {
      file.event(BlkdebugEvent.READ_BACKING_AIO);
      long length = Math.min(there, into.byteSize());
      backing.read(length == into.byteSize() ? into : into.asSlice(0, length), guest);
      into.asSlice(length).fill((byte) 0);
    } else {
      into.fill((byte) 0);
    }
  }

  private void readCompressed(long entry, MemorySegment into, long guest) throws BlockFault {
    int cluster = geometry.clusterBytes();
    try (var arena = Arena.ofConfined()) {
      MemorySegment packed = arena.allocate(geometry.compressedBytes(entry), 512);
      file.event(BlkdebugEvent.READ_COMPRESSED);
      file.read(packed, geometry.compressedOffset(entry));
      if (into.byteSize() == cluster) {
        decompressor.expand(packed, into);
      } else {
        MemorySegment whole = arena.allocate(cluster, 512);
        decompressor.expand(packed, whole);
        MemorySegment.copy(whole, geometry.inCluster(guest), into, 0, into.byteSize());
      }
    }
  }

  /** Reads if the mapping is in memory and the file can answer at once. */
  boolean readNow(MemorySegment into, long guest) throws BlockFault {
    Run run = runs.get();
    int ticket = epochs.enter();
    try {
      long total = into.byteSize();
      long done = 0;
      while (done < total) {
        if (!tables.lookupCached(run, guest + done, total - done)) {
          return false;
        }
        long length = run.length;
        MemorySegment part = done == 0 && length == total ? into : into.asSlice(done, length);
        if (!runNow(run, part, guest + done)) {
          return false;
        }
        done += length;
      }
      return true;
    } finally {
      epochs.leave(ticket);
    }
  }

  private boolean runNow(Run run, MemorySegment into, long guest) throws BlockFault {
    return switch (run.kind) {
      case DATA -> {
        file.event(BlkdebugEvent.READ_AIO);
        yield data.readNow(into, run.host);
      }
      case ZERO, ZERO_RESERVED -> {
        into.fill((byte) 0);
        yield true;
      }
      case UNALLOCATED, UNALLOCATED_RESERVED -> {
        if (backing == null) {
          into.fill((byte) 0);
          yield true;
        }
        yield backing.length() - guest >= into.byteSize() && backing.readNow(into, guest);
      }
      case COMPRESSED, INVALID -> false;
    };
  }
}
