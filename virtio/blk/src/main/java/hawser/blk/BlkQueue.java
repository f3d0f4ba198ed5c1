package hawser.blk;

import static hawser.blk.BlkConfig.SECTOR_BYTES;

import hawser.base.BlockFault;
import hawser.base.Wire;
import hawser.block.BlockNode;
import hawser.block.DirectFile;
import hawser.vhost.backend.QueueHandler;
import hawser.vhost.ring.Chain;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Serves the requests of one virtqueue. */
final class BlkQueue implements QueueHandler {
  /** Type, a reserved word and the sector, before the data. */
  static final int HEADER_BYTES = 16;

  /** A longer transfer is not worth keeping the next request waiting, even from the page cache. */
  private static final long SERVED_NOW_MAX = 256 << 10;

  /** But where one waits for a worker already, this thread may as well read the next one. */
  private static final long READ_BESIDE_WORKERS_MAX = 1 << 20;

  private final NodeRequests requests;
  private final Executor workers;
  private final MemorySegment header = Arena.ofAuto().allocate(HEADER_BYTES, 8);
  private final Pieces pieces = new Pieces();
  private final @Nullable DirectFile directFile;
  private @Nullable DirectRequests direct;
  private boolean directTried;
  private volatile boolean suspending;
  private final AtomicInteger waitingForWorkers = new AtomicInteger();

  BlkQueue(NodeRequests requests, Executor workers) {
    this.requests = requests;
    this.workers = workers;
    this.directFile = requests.node().directFile();
  }

  /** Made by the thread that uses it, as the kernel wants it. */
  private @Nullable DirectRequests direct() {
    if (directFile != null && !directTried) {
      directTried = true;
      direct = DirectRequests.open(directFile, this::directlyServed);
    }
    return direct;
  }

  /** The kernel is done with a request; a worker finds out why it did not do all of it. */
  private void directlyServed(Chain chain, boolean whole) {
    if (whole) {
      chain.complete(answer(chain, NodeRequests.Status.OK));
    } else {
      chain.read(0, header);
      serveLater(RequestType.of(header.get(Wire.LE32, 0)), header.get(Wire.LE64, 8), chain);
    }
  }

  private void serveLater(RequestType type, long sector, Chain chain) {
    waitingForWorkers.incrementAndGet();
    workers.execute(
        () -> {
          waitingForWorkers.decrementAndGet();
          if (suspending) {
            chain.suspend();
          } else {
            serve(type, sector, chain);
          }
        });
  }

  @Override
  public void suspending() {
    suspending = true;
  }

  @Override
  public int event() {
    return direct == null ? -1 : direct.event();
  }

  @Override
  public boolean attend() {
    return direct != null && direct.attend();
  }

  @Override
  public void close() {
    if (direct != null) {
      direct.close();
    }
  }

  @Override
  public void handle(Chain chain) {
    if (chain.readableBytes() < HEADER_BYTES || chain.writableBytes() < 1) {
      // Nowhere to say what is wrong with it.
      chain.complete(0);
      return;
    }
    chain.read(0, header);
    RequestType type = RequestType.of(header.get(Wire.LE32, 0));
    long sector = header.get(Wire.LE64, 8);
    if (!startedDirectly(type, sector, chain) && !servedNow(type, sector, chain)) {
      serveLater(type, sector, chain);
    }
  }

  private void serve(RequestType type, long sector, Chain chain) {
    long answered = 0;
    try {
      answered = answer(chain, requests.serve(type, sector, chain));
    } finally {
      // Also where guest memory is gone or the node has a defect: the queue must not wait for this
      // one. Once it is complete it may be another request already, so nobody looks at it again.
      chain.complete(answered);
    }
  }

  private boolean startedDirectly(RequestType type, long sector, Chain chain) {
    DirectRequests requestsUnderWay = direct();
    if (requestsUnderWay == null) {
      return false;
    }
    try {
      return switch (type) {
        case IN ->
            requests.inside(sector, chain.writableBytes() - 1)
                && requestsUnderWay.read(sector, chain);
        case OUT ->
            !requests.readOnly()
                && requests.inside(sector, chain.readableBytes() - HEADER_BYTES)
                && requestsUnderWay.write(sector, chain, requests.writeFlags());
        case FLUSH, GET_ID, DISCARD, WRITE_ZEROES, UNKNOWN -> false;
      };
    } catch (BlockFault e) {
      // The node says it again to the worker, which has the status for it.
      return false;
    }
  }

  private boolean servedNow(RequestType type, long sector, Chain chain) {
    try {
      boolean served =
          switch (type) {
            case IN -> readNow(sector, chain);
            case OUT -> writeNow(sector, chain);
            case FLUSH, GET_ID, DISCARD, WRITE_ZEROES, UNKNOWN -> false;
          };
      if (served) {
        chain.complete(answer(chain, NodeRequests.Status.OK));
      }
      return served;
    } catch (BlockFault e) {
      // The node says it again to the worker, which has the status for it.
      return false;
    }
  }

  private long readNowMax() {
    return waitingForWorkers.get() == 0 ? SERVED_NOW_MAX : READ_BESIDE_WORKERS_MAX;
  }

  private boolean readNow(long sector, Chain chain) throws BlockFault {
    long bytes = chain.writableBytes() - 1;
    if (bytes == 0 || bytes > readNowMax() || !requests.inside(sector, bytes)) {
      return false;
    }
    return moveNow(chain, chain.firstWritable(), 0, bytes, sector * SECTOR_BYTES, true);
  }

  private boolean writeNow(long sector, Chain chain) throws BlockFault {
    long bytes = chain.readableBytes() - HEADER_BYTES;
    if (bytes == 0
        || bytes > SERVED_NOW_MAX
        || requests.readOnly()
        || !requests.inside(sector, bytes)) {
      return false;
    }
    return moveNow(chain, 0, HEADER_BYTES, bytes, sector * SECTOR_BYTES, false);
  }

  /** Moves the bytes after {@code skip}, piece by piece, for as long as that needs no waiting. */
  private boolean moveNow(
      Chain chain, int first, long skip, long bytes, long offset, boolean reading)
      throws BlockFault {
    BlockNode node = requests.node();
    long skipped = skip;
    long done = 0;
    for (int piece = first; done < bytes; piece++) {
      long length = chain.length(piece);
      if (skipped >= length) {
        skipped -= length;
        continue;
      }
      long here = Math.min(length - skipped, bytes - done);
      MemorySegment memory = pieces.at(chain.address(piece) + skipped, here);
      boolean moved =
          reading
              ? node.readNow(memory, offset + done)
              : node.writeNow(memory, offset + done, requests.writeFlags());
      if (!moved) {
        return false;
      }
      done += here;
      skipped = 0;
    }
    return true;
  }

  /** Writes the answer; answers how much of the chain is written. */
  private static long answer(Chain chain, NodeRequests.Status status) {
    chain.writeByte(chain.writableBytes() - 1, status.number);
    return chain.writableBytes();
  }
}
