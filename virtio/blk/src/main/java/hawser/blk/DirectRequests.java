package hawser.blk;

import static hawser.blk.BlkConfig.SECTOR_BYTES;

import hawser.base.Errno;
import hawser.block.DirectFile;
import hawser.sys.EventFd;
import hawser.sys.FileCalls;
import hawser.sys.Iovecs;
import hawser.sys.Result;
import hawser.sys.Uring;
import hawser.vhost.ring.Chain;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes of a file past the page cache that the kernel works on by itself, straight from
 * and into guest memory: the guest's depth reaches the disk without a thread for each request.
 * Belongs to the queue's thread.
 */
final class DirectRequests {
  /** Requests under way; more wait in the kernel's queue or for a worker. */
  private static final int ENTRIES = 256;

  private final DirectFile file;
  private final Uring ring;
  private final int event;
  private final int alignment;
  private final int memoryAlignment;
  private final BiConsumer<Chain, Boolean> finished;
  private @Nullable Chain[] chains = new Chain[ENTRIES];
  private @Nullable Iovecs[] vectors = new Iovecs[ENTRIES];
  private long[] writes = new long[ENTRIES];
  private int underWay;

  private DirectRequests(
      DirectFile file, Uring ring, int event, BiConsumer<Chain, Boolean> finished) {
    this.file = file;
    this.ring = ring;
    this.event = event;
    this.alignment = file.limits().alignment();
    this.memoryAlignment = file.limits().memoryAlignment();
    this.finished = finished;
  }

  /**
   * A ring for the calling thread, or null where the kernel has none.
   *
   * @param finished told of every request that ends, and whether all of it was done
   */
  static @Nullable DirectRequests open(DirectFile file, BiConsumer<Chain, Boolean> finished) {
    Uring ring = Uring.open(ENTRIES).orElse(null);
    if (ring == null) {
      return null;
    }
    // Polling the ring itself would not do: completions are deferred until somebody looks.
    long event = EventFd.create();
    if (Result.failed(event) || Result.failed(ring.signal((int) event))) {
      ring.close();
      return null;
    }
    return new DirectRequests(file, ring, (int) event, finished);
  }

  /** Starts a read of all but the status byte; false when it has to go another way. */
  boolean read(long sector, Chain chain) {
    long bytes = chain.writableBytes() - 1;
    if (!takes(sector, bytes, chain) || !chain.writableAligned(0, bytes, memoryAlignment)) {
      return false;
    }
    Iovecs vector = vector(chain);
    chain.addWritable(vector, 0, bytes);
    ring.read(file.descriptor(), vector, sector * SECTOR_BYTES, chain.slot());
    started(chain, 0);
    return true;
  }

  /** Starts a write of all but the header; false when it has to go another way. */
  boolean write(long sector, Chain chain, int flags) {
    long bytes = chain.readableBytes() - BlkQueue.HEADER_BYTES;
    long from = BlkQueue.HEADER_BYTES;
    if (!takes(sector, bytes, chain) || !chain.readableAligned(from, bytes, memoryAlignment)) {
      return false;
    }
    long number = file.beginWrite(sector * SECTOR_BYTES, bytes);
    if (number == 0) {
      return false;
    }
    Iovecs vector = vector(chain);
    chain.addReadable(vector, from, bytes);
    int how = file.writeFlags(flags);
    ring.write(file.descriptor(), vector, sector * SECTOR_BYTES, how, chain.slot());
    started(chain, number);
    return true;
  }

  private boolean takes(long sector, long bytes, Chain chain) {
    if (bytes == 0
        || ((sector * SECTOR_BYTES | bytes) & (alignment - 1)) != 0
        || chain.pieces() > Iovecs.COUNT_MAX
        || underWay == ENTRIES) {
      return false;
    }
    if (chain.slot() >= chains.length) {
      int size = Math.max(chain.slot() + 1, chains.length * 2);
      chains = Arrays.copyOf(chains, size);
      vectors = Arrays.copyOf(vectors, size);
      writes = Arrays.copyOf(writes, size);
    }
    return !ring.full() || submit();
  }

  /** A slot's own vector, empty: the kernel may still read those of others. */
  private Iovecs vector(Chain chain) {
    Iovecs vector = vectors[chain.slot()];
    if (vector == null || vector.capacity() < chain.pieces()) {
      vector = new Iovecs(Arena.ofAuto(), Math.max(8, chain.pieces()));
      vectors[chain.slot()] = vector;
    }
    vector.clear();
    return vector;
  }

  private void started(Chain chain, long number) {
    chains[chain.slot()] = chain;
    writes[chain.slot()] = number;
    underWay++;
  }

  /** False: the kernel cannot take it now. */
  private boolean submit() {
    long result = ring.submit(0);
    if (!Result.failed(result)) {
      return true;
    }
    Errno errno = Result.errno(result);
    if (errno != Errno.EAGAIN && errno != Errno.EBUSY) {
      throw new AssertionError("io_uring_enter: " + errno);
    }
    return false;
  }

  /**
   * Hands what was started to the kernel, and looks for what has ended; whether anything has, or is
   * to be handed over again.
   */
  boolean attend() {
    if (underWay == 0) {
      return false;
    }
    boolean any = !submit();
    while (ring.next()) {
      any = true;
      finish((int) ring.tag(), ring.result());
    }
    return any;
  }

  private void finish(int slot, int result) {
    Chain chain = chains[slot];
    if (chain == null) {
      throw new AssertionError("slot %d has no request".formatted(slot));
    }
    chains[slot] = null;
    underWay--;
    if (writes[slot] != 0) {
      file.endWrite(writes[slot]);
    }
    long wanted =
        writes[slot] != 0
            ? chain.readableBytes() - BlkQueue.HEADER_BYTES
            : chain.writableBytes() - 1;
    finished.accept(chain, result == wanted);
  }

  /** The eventfd that tells of ended requests. */
  int event() {
    return event;
  }

  /** Gives the ring back; no request is under way. */
  void close() {
    ring.close();
    FileCalls.close(event);
  }
}
