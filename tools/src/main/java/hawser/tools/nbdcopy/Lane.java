package hawser.tools.nbdcopy;

import hawser.base.BlockFault;
import hawser.block.BlockNode;
import hawser.block.Extent;
import hawser.block.ZeroBytes;
import hawser.nbd.Command;
import hawser.nbd.CommandFlags;
import hawser.nbd.TransmissionFlags;
import hawser.nbd.client.Exchange;
import hawser.nbd.client.NbdClient;
import hawser.sys.SocketCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * One lane of a copy: a window of buffers that are being read or written. One thread does all of a
 * lane's work, for handing buffers to another costs more than it gains: it keeps requests under way
 * at the servers and takes their answers when it has nothing to send.
 */
final class Lane implements Runnable {
  /** The longest run of zeroes that one request asks for. */
  private static final long ZERO_BYTES_MAX = 1L << 30;

  /** Runs of zeroes and data that one buffer is split into at most. */
  private static final int RUNS_MAX = 16;

  /** Unanswered writes; below what a connection takes, for nobody else receives answers. */
  private static final int WRITES_MAX = NbdClient.IN_FLIGHT_MAX / 2;

  private final LaneCopy copy;
  private final @Nullable NbdClient from;
  private final @Nullable NbdClient to;
  private final SourceMap map;
  private final @Nullable WrittenPages written;
  private final Arena arena = Arena.ofShared();
  private final ArrayDeque<Piece> free = new ArrayDeque<>();
  private final int window;
  private int reads;
  private int writes;

  Lane(LaneCopy copy, int number, int window) {
    this.copy = copy;
    this.from = copy.source() instanceof End.Server server ? server.lane(number) : null;
    this.to = copy.target() instanceof End.Server server ? server.lane(number) : null;
    this.map = new SourceMap(copy.source(), from, copy.options().extents);
    this.written =
        copy.target() instanceof End.Local(var _, var pages) ? new WrittenPages(pages) : null;
    this.window = window;
  }

  @Override
  public void run() {
    try (arena) {
      for (int i = 0; i < window; i++) {
        free.push(new Piece(arena, copy.options().requestBytes));
      }
      try {
        for (long start = copy.takeRange(); start >= 0; start = copy.takeRange()) {
          copyRange(start, copy.rangeEnd(start));
        }
      } catch (BlockFault e) {
        copy.fail(e);
      } finally {
        drain();
      }
    }
  }

  private void copyRange(long start, long end) throws BlockFault {
    long at = start;
    while (at < end && !copy.hasFailed()) {
      Extent extent = map.extent(at, end - at);
      long stop = Math.min(end, extent.end());
      if (extent.kind().zero()) {
        zero(at, stop - at);
      } else {
        data(at, stop);
      }
      at = stop;
    }
  }

  private void data(long start, long stop) throws BlockFault {
    int most = copy.options().requestBytes;
    for (long at = start; at < stop && !copy.hasFailed(); ) {
      // Requests keep to multiples of their size, which suits every file system.
      long bytes = Math.min(stop - at, most - at % most);
      while (free.isEmpty()) {
        receive();
      }
      Piece piece = free.pop();
      piece.place(at, bytes);
      read(piece);
      at += bytes;
    }
  }

  /** Waits for an answer and takes it, and what else has come with it. */
  private void receive() {
    NbdClient one = reads > 0 && (writes == 0 || !answersFirst()) ? from : to;
    if (one == null) {
      throw new AssertionError("a buffer is in use, but no request under way");
    }
    do {
      one.receive();
    } while (one.hasBuffered());
  }

  /** Whether the target's answers come sooner than the source's, while both are waited for. */
  private boolean answersFirst() {
    if (from == null || to == null || from.hasBuffered()) {
      return false;
    }
    // Where the socket cannot be watched, reads are waited for: they are sure to come.
    boolean watchable = from.descriptor() >= 0 && to.descriptor() >= 0;
    return to.hasBuffered()
        || (watchable && SocketCalls.pollEither(to.descriptor(), from.descriptor()) == 0);
  }

  private void read(Piece piece) throws BlockFault {
    if (from != null) {
      reads++;
      from.submit(
          piece.reading.read(piece.data(), piece.offset, 0).whenDone(exchange -> readDone(piece)));
    } else if (copy.source() instanceof End.Local(BlockNode node, var _)) {
      node.read(piece.data(), piece.offset);
      write(piece);
    } else {
      throw new AssertionError(copy.source());
    }
  }

  private void readDone(Piece piece) {
    reads--;
    try {
      piece.reading.orFault();
      write(piece);
    } catch (BlockFault e) {
      copy.fail(e);
      if (piece.writesLeft == 0) {
        free.push(piece);
      }
    }
  }

  /** Writes a buffer, leaving out or zeroing what is zero in it. */
  private void write(Piece piece) throws BlockFault {
    MemorySegment data = piece.data();
    piece.writesLeft = 1;
    try {
      if (!(copy.target() instanceof End.Nowhere)) {
        writeRuns(piece, new ZeroRuns(data, copy.options().sparse, RUNS_MAX));
      }
      copy.progress().add(data.byteSize());
    } finally {
      oneDone(piece);
    }
  }

  private void writeRuns(Piece piece, ZeroRuns runs) throws BlockFault {
    for (int i = 0; i < runs.count(); i++) {
      long start = runs.start(i);
      long bytes = runs.end(i) - start;
      if (!runs.zero(i)) {
        writeData(piece, i, start, bytes);
      } else if (!copy.targetIsZero() || copy.options().allocated) {
        writeZero(piece.offset + start, bytes);
      }
    }
  }

  private void oneDone(Piece piece) {
    if (--piece.writesLeft == 0) {
      free.push(piece);
    }
  }

  private void writeData(Piece piece, int run, long start, long bytes) throws BlockFault {
    MemorySegment data = piece.data();
    MemorySegment part = bytes == data.byteSize() ? data : data.asSlice(start, bytes);
    long at = piece.offset + start;
    if (to != null) {
      piece.writesLeft++;
      submit(to, piece.writing(run).write(part, at, 0), piece);
    } else if (copy.target() instanceof End.Local(BlockNode node, var _) && written != null) {
      node.write(part, at, 0);
      written.add(at, bytes);
    } else {
      throw new AssertionError(copy.target());
    }
  }

  private void submit(NbdClient client, Exchange exchange, @Nullable Piece piece) {
    while (writes >= WRITES_MAX) {
      client.receive();
    }
    writes++;
    client.submit(exchange.whenDone(done -> writeDone(done, piece)));
  }

  private void writeDone(Exchange exchange, @Nullable Piece piece) {
    writes--;
    try {
      exchange.orFault();
    } catch (BlockFault e) {
      copy.fail(e);
    }
    if (piece != null) {
      oneDone(piece);
    }
  }

  /** Makes a range of the target read as zeroes, if it does not already. */
  private void zero(long at, long bytes) throws BlockFault {
    if (!copy.targetIsZero() || copy.options().allocated) {
      for (long done = 0; done < bytes; done += ZERO_BYTES_MAX) {
        writeZero(at + done, Math.min(ZERO_BYTES_MAX, bytes - done));
      }
    }
    copy.progress().add(bytes);
  }

  private void writeZero(long at, long bytes) throws BlockFault {
    boolean allocated = copy.options().allocated;
    if (to == null) {
      if (copy.target() instanceof End.Local(BlockNode node, var _)) {
        node.writeZeroes(at, bytes, allocated ? 0 : BlockNode.MAY_UNMAP);
      }
    } else if (to.server().can(TransmissionFlags.SEND_WRITE_ZEROES)) {
      int how = allocated ? CommandFlags.NO_HOLE : 0;
      submit(to, new Exchange().other(Command.WRITE_ZEROES, at, bytes, how), null);
    } else {
      for (long done = 0; done < bytes; done += ZeroBytes.SOURCE_BYTES) {
        long part = Math.min(ZeroBytes.SOURCE_BYTES, bytes - done);
        submit(to, new Exchange().write(ZeroBytes.SOURCE.asSlice(0, part), at + done, 0), null);
      }
    }
  }

  /** Returns when every buffer is free and every write acknowledged. */
  private void drain() {
    while (reads > 0 || writes > 0) {
      receive();
    }
  }

  /** Makes everything written durable. */
  static void flush(End target) throws BlockFault {
    switch (target) {
      case End.Server server -> {
        if (server.can(TransmissionFlags.SEND_FLUSH)) {
          for (NbdClient client : server.connections()) {
            client.call(new Exchange().other(Command.FLUSH, 0, 0, 0));
          }
        }
      }
      case End.Local(BlockNode node, var _) -> node.flush();
      case End.Stream _, End.Nowhere _ -> {
        // Nothing to make durable.
      }
    }
  }
}
