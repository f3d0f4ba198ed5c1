package hawser.tools.nbdcopy;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.BlockNode;
import hawser.block.Extent;
import hawser.block.ZeroBytes;
import hawser.nbd.Command;
import hawser.nbd.CommandFlags;
import hawser.nbd.MetaContext;
import hawser.nbd.TransmissionFlags;
import hawser.nbd.client.Exchange;
import hawser.nbd.client.NbdClient;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * One lane of a copy: a window of buffers that are being read or written. Reading from a server and
 * writing to one overlap; the lane's own thread receives what it reads, a second one the
 * acknowledgements of what it writes.
 */
final class Lane implements Runnable {
  /** The longest run of zeroes that one request asks for. */
  private static final long ZERO_BYTES_MAX = 1L << 30;

  /** Runs of zeroes and data that one buffer is split into at most. */
  private static final int RUNS_MAX = 16;

  private final LaneCopy copy;
  private final int number;
  private final Arena arena = Arena.ofShared();
  private final ArrayDeque<Piece> free = new ArrayDeque<>();
  private final int window;
  private int readsLeft;
  private int writesLeft;
  private boolean finished;

  Lane(LaneCopy copy, int number, int window) {
    this.copy = copy;
    this.number = number;
    this.window = window;
    for (int i = 0; i < window; i++) {
      free.push(new Piece(arena, copy.options().requestBytes));
    }
  }

  @Override
  public void run() {
    Thread receiver = null;
    if (copy.target() instanceof End.Server server) {
      NbdClient client = server.lane(number);
      receiver = Thread.ofPlatform().name("copy-ack-" + number).start(() -> receiveAcks(client));
    }
    try {
      for (long start = copy.takeRange(); start >= 0; start = copy.takeRange()) {
        copyRange(start, copy.rangeEnd(start));
      }
    } catch (BlockFault e) {
      copy.fail(e);
    } finally {
      drain();
      end(receiver);
    }
  }

  private void end(@Nullable Thread receiver) {
    synchronized (this) {
      finished = true;
      notifyAll();
    }
    if (receiver != null) {
      try {
        receiver.join();
      } catch (InterruptedException e) {
        // Its memory is still in use, so it is left to the end of the process.
        Thread.currentThread().interrupt();
        return;
      }
    }
    arena.close();
  }

  /** Reads acknowledgements while there are any to come. */
  private void receiveAcks(NbdClient client) {
    while (awaitWrites()) {
      client.receiveWhile(this::hasWrites);
    }
  }

  private synchronized boolean hasWrites() {
    return writesLeft > 0;
  }

  private synchronized boolean awaitWrites() {
    while (writesLeft == 0 && !finished) {
      pause();
    }
    return writesLeft > 0;
  }

  @SuppressWarnings("WaitNotInLoop") // The callers loop.
  private synchronized void pause() {
    try {
      wait();
    } catch (InterruptedException e) {
      copy.fail(new BlockFault(Errno.EINTR, "interrupted", e));
    }
  }

  private void copyRange(long start, long end) throws BlockFault {
    long at = start;
    while (at < end && !copy.hasFailed()) {
      Extent extent = extent(at, end - at);
      long stop = Math.min(end, extent.end());
      if (extent.kind().zero()) {
        zero(at, stop - at);
      } else {
        data(at, stop);
      }
      at = stop;
    }
  }

  private Extent extent(long at, long bytes) throws BlockFault {
    if (!copy.options().extents) {
      return Extent.of(at, bytes, Extent.Kind.DATA);
    }
    return switch (copy.source()) {
      case End.Server server -> extent(server.lane(number), at, bytes);
      case End.Local(BlockNode node) -> node.extent(at, bytes);
      case End.Stream _, End.Nowhere _ -> Extent.of(at, bytes, Extent.Kind.DATA);
    };
  }

  /** The first extents of an answer that are alike. */
  private static Extent extent(NbdClient client, long at, long bytes) throws BlockFault {
    if (client.server().contexts().isEmpty()) {
      return Extent.of(at, bytes, Extent.Kind.DATA);
    }
    long[] first = {0, -1};
    client.call(
        new Exchange()
            .status(
                at,
                Math.min(bytes, ZERO_BYTES_MAX),
                0,
                (context, length, flags) -> {
                  long zero = flags & MetaContext.STATE_ZERO;
                  if (first[1] == -1 || first[1] == zero) {
                    first[0] += length;
                    first[1] = zero;
                  } else {
                    first[1] = -2;
                  }
                }));
    if (first[0] <= 0) {
      throw new BlockFault(Errno.EIO, "server told of no extents at offset " + at);
    }
    return Extent.of(at, Math.min(first[0], bytes), kind(client, at, first[1]));
  }

  private static Extent.Kind kind(NbdClient client, long at, long zero) throws BlockFault {
    if (zero != -2) {
      return zero == 0 ? Extent.Kind.DATA : Extent.Kind.ZERO;
    }
    // More than one kind came: the sum is that of the first kind, which one more question tells.
    long[] flag = {-1};
    client.call(
        new Exchange()
            .status(
                at,
                client.server().sizes().minimum(),
                CommandFlags.REQ_ONE,
                (context, length, flags) -> flag[0] = flag[0] == -1 ? flags : flag[0]));
    return (flag[0] & MetaContext.STATE_ZERO) != 0 ? Extent.Kind.ZERO : Extent.Kind.DATA;
  }

  private void data(long start, long stop) throws BlockFault {
    int most = copy.options().requestBytes;
    for (long at = start; at < stop && !copy.hasFailed(); ) {
      // Requests keep to multiples of their size, which suits every file system.
      long bytes = Math.min(stop - at, most - at % most);
      Piece piece = takeFree();
      piece.place(at, bytes);
      read(piece);
      at += bytes;
    }
  }

  private Piece takeFree() {
    while (true) {
      synchronized (this) {
        Piece piece = free.poll();
        if (piece != null) {
          return piece;
        }
        if (readsLeft == 0) {
          pause();
          continue;
        }
      }
      receiveOneRead();
    }
  }

  private void receiveOneRead() {
    if (copy.source() instanceof End.Server server) {
      int before = readsLeft;
      server.lane(number).receiveWhile(() -> readsLeft >= before);
    }
  }

  private void read(Piece piece) throws BlockFault {
    switch (copy.source()) {
      case End.Server server -> {
        readsLeft++;
        server
            .lane(number)
            .submit(
                piece
                    .reading
                    .read(piece.data(), piece.offset, 0)
                    .whenDone(exchange -> readDone(piece)));
      }
      case End.Local(BlockNode node) -> {
        node.read(piece.data(), piece.offset);
        write(piece);
      }
      case End.Stream _, End.Nowhere _ -> throw new AssertionError(copy.source());
    }
  }

  private void readDone(Piece piece) {
    readsLeft--;
    try {
      piece.reading.orFault();
      write(piece);
    } catch (BlockFault e) {
      copy.fail(e);
      give(piece);
    }
  }

  private synchronized void give(Piece piece) {
    free.push(piece);
    notifyAll();
  }

  /** Writes a buffer, leaving out or zeroing what is zero in it. */
  private void write(Piece piece) throws BlockFault {
    MemorySegment data = piece.data();
    if (copy.target() instanceof End.Nowhere) {
      copy.progress().add(data.byteSize());
      give(piece);
      return;
    }
    var runs = new ZeroRuns(data, copy.options().sparse, RUNS_MAX);
    piece.writesLeft.set(runs.count() + 1);
    for (int i = 0; i < runs.count(); i++) {
      long from = runs.start(i);
      long bytes = runs.end(i) - from;
      if (!runs.zero(i)) {
        writeData(piece, i, from, bytes);
      } else if (copy.targetIsZero() && !copy.options().allocated) {
        oneDone(piece);
      } else {
        writeZero(piece.writing(i), piece.offset + from, bytes, piece);
      }
    }
    copy.progress().add(data.byteSize());
    oneDone(piece);
  }

  private void oneDone(Piece piece) {
    if (piece.writesLeft.decrementAndGet() == 0) {
      give(piece);
    }
  }

  private void writeData(Piece piece, int run, long from, long bytes) throws BlockFault {
    MemorySegment data = piece.data();
    MemorySegment part = bytes == data.byteSize() ? data : data.asSlice(from, bytes);
    switch (copy.target()) {
      case End.Server server ->
          submit(
              server.lane(number), piece.writing(run).write(part, piece.offset + from, 0), piece);
      case End.Local(BlockNode node) -> {
        node.write(part, piece.offset + from, 0);
        oneDone(piece);
      }
      case End.Stream _, End.Nowhere _ -> throw new AssertionError(copy.target());
    }
  }

  private void submit(NbdClient client, Exchange exchange, @Nullable Piece piece) {
    exchange.whenDone(done -> writeDone(done, piece));
    synchronized (this) {
      writesLeft++;
      notifyAll();
    }
    client.submit(exchange);
  }

  private void writeDone(Exchange exchange, @Nullable Piece piece) {
    try {
      exchange.orFault();
    } catch (BlockFault e) {
      copy.fail(e);
    }
    if (piece != null) {
      oneDone(piece);
    }
    synchronized (this) {
      writesLeft--;
      notifyAll();
    }
  }

  /** Makes a range of the target read as zeroes, if it does not already. */
  private void zero(long at, long bytes) throws BlockFault {
    if (!copy.targetIsZero() || copy.options().allocated) {
      for (long done = 0; done < bytes; done += ZERO_BYTES_MAX) {
        long part = Math.min(ZERO_BYTES_MAX, bytes - done);
        writeZero(new Exchange(), at + done, part, null);
      }
    }
    copy.progress().add(bytes);
  }

  private void writeZero(Exchange exchange, long at, long bytes, @Nullable Piece piece)
      throws BlockFault {
    boolean allocated = copy.options().allocated;
    switch (copy.target()) {
      case End.Server server -> {
        NbdClient client = server.lane(number);
        if (server.can(TransmissionFlags.SEND_WRITE_ZEROES)) {
          int how = allocated ? CommandFlags.NO_HOLE : 0;
          submit(client, exchange.other(Command.WRITE_ZEROES, at, bytes, how), piece);
          return;
        }
        for (long done = 0; done < bytes; done += ZeroBytes.SOURCE_BYTES) {
          long part = Math.min(ZeroBytes.SOURCE_BYTES, bytes - done);
          MemorySegment zeroes = ZeroBytes.SOURCE.asSlice(0, part);
          submit(client, new Exchange().write(zeroes, at + done, 0), null);
        }
      }
      case End.Local(BlockNode node) ->
          node.writeZeroes(at, bytes, allocated ? 0 : BlockNode.MAY_UNMAP);
      case End.Stream _, End.Nowhere _ -> {
        // Nothing keeps what is written there.
      }
    }
    if (piece != null) {
      oneDone(piece);
    }
  }

  /** Returns when every buffer is free and every write acknowledged. */
  private void drain() {
    while (readsLeft > 0) {
      receiveOneRead();
    }
    synchronized (this) {
      while (free.size() < window || writesLeft > 0) {
        pause();
      }
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
      case End.Local(BlockNode node) -> node.flush();
      case End.Stream _, End.Nowhere _ -> {
        // Nothing to make durable.
      }
    }
  }
}
