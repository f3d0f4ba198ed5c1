package hawser.tools.nbdcopy;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.UsageFault;
import hawser.block.BlockNode;
import hawser.block.Preallocation;
import hawser.nbd.client.NbdClient;
import hawser.tools.Terminal;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;

/** Copies from standard input or to standard output: in order, with requests under way ahead. */
final class StreamCopy {
  /** Requests ahead of the stream. */
  private static final int AHEAD = 8;

  private final End source;
  private final End target;
  private final CopyOptions options;
  private final Terminal io;
  private final Progress progress;

  StreamCopy(End source, End target, CopyOptions options, Terminal io, Progress progress) {
    this.source = source;
    this.target = target;
    this.options = options;
    this.io = io;
    this.progress = progress;
  }

  void run(long size) throws BlockFault, IOException {
    try (var arena = Arena.ofShared()) {
      if (source instanceof End.Stream) {
        in(arena);
      } else {
        out(arena, size);
      }
    }
    if (options.flush) {
      Lane.flush(target);
    }
  }

  private void in(Arena arena) throws BlockFault, IOException {
    var bytes = new byte[options.requestBytes];
    var waiting = new ArrayDeque<Piece>();
    long at = 0;
    for (int count = fill(bytes); count > 0; count = fill(bytes)) {
      Piece piece =
          waiting.size() < AHEAD ? new Piece(arena, options.requestBytes) : written(waiting);
      piece.place(at, count);
      MemorySegment.copy(bytes, 0, piece.data(), ValueLayout.JAVA_BYTE, 0, count);
      write(piece);
      waiting.addLast(piece);
      at += count;
    }
    while (!waiting.isEmpty()) {
      written(waiting);
    }
  }

  /** As many bytes as fit, fewer only at the end. */
  private int fill(byte[] into) throws IOException {
    InputStream in = io.in();
    return in.readNBytes(into, 0, into.length);
  }

  private Piece written(ArrayDeque<Piece> waiting) throws BlockFault {
    Piece oldest = waiting.removeFirst();
    if (target instanceof End.Server server) {
      server.lane(0).await(oldest.writing(0));
      oldest.writing(0).orFault();
    }
    return oldest;
  }

  private void write(Piece piece) throws BlockFault, IOException {
    switch (target) {
      case End.Server server -> {
        NbdClient client = server.lane(0);
        if (piece.offset + piece.data().byteSize() > client.server().size()) {
          throw new UsageFault("error: destination size is smaller than source size");
        }
        client.submit(piece.writing(0).write(piece.data(), piece.offset, 0));
      }
      case End.Local(BlockNode node, var _) -> {
        long end = piece.offset + piece.data().byteSize();
        if (node.length() < end) {
          node.resize(end, Preallocation.OFF);
        }
        node.write(piece.data(), piece.offset, 0);
      }
      case End.Stream _ -> print(piece.data());
      case End.Nowhere _ -> {
        // What is written there is thrown away.
      }
    }
  }

  private void print(MemorySegment data) throws IOException {
    io.out().write(data.toArray(ValueLayout.JAVA_BYTE));
    if (io.out().checkError()) {
      throw new IOException("cannot write to standard output");
    }
  }

  private void out(Arena arena, long size) throws BlockFault, IOException {
    var reading = new ArrayDeque<Piece>();
    long asked = 0;
    long done = 0;
    while (done < size) {
      while (reading.size() < AHEAD && asked < size) {
        asked += ask(new Piece(arena, options.requestBytes), asked, size, reading);
      }
      Piece piece = reading.removeFirst();
      if (source instanceof End.Server server) {
        server.lane(0).await(piece.reading);
        piece.reading.orFault();
      }
      print(piece.data());
      done += piece.data().byteSize();
      progress.add(piece.data().byteSize());
      if (asked < size) {
        asked += ask(piece, asked, size, reading);
      }
    }
  }

  private long ask(Piece piece, long at, long size, ArrayDeque<Piece> reading) throws BlockFault {
    long bytes = Math.min(options.requestBytes, size - at);
    piece.place(at, bytes);
    switch (source) {
      case End.Server server -> server.lane(0).submit(piece.reading.read(piece.data(), at, 0));
      case End.Local(BlockNode node, var _) -> node.read(piece.data(), at);
      case End.Stream _, End.Nowhere _ -> throw new BlockFault(Errno.EINVAL, "source has no size");
    }
    reading.addLast(piece);
    return bytes;
  }
}
