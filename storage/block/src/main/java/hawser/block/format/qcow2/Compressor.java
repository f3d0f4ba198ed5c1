package hawser.block.format.qcow2;

import com.github.luben.zstd.ZstdCompressCtx;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.sys.Libz;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.zip.Deflater;

/**
 * Compresses clusters for an image; any number of threads at once.
 *
 * <p>Deflate keeps its distances within 4 KiB, for that is the window with which QEMU opens its
 * inflater: zlib itself with a window of 12 bits where it can be called, else the JDK's, which only
 * knows 32 KiB, made to forget what it has seen every 4 KiB of input.
 */
final class Compressor implements AutoCloseable {
  private static final int WINDOW_BYTES = 4096;
  private static final int WINDOW_BITS = 12;
  private static final int ZSTD_LEVEL = 3;

  private final int type;
  private final ConcurrentLinkedQueue<Libz.Deflate> streams = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<Deflater> deflaters = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<ZstdCompressCtx> contexts = new ConcurrentLinkedQueue<>();

  /** For one of the header's compression types. */
  Compressor(int type) {
    this.type = type;
  }

  /**
   * Compresses native {@code in}, one cluster, into {@code out}.
   *
   * @return how many bytes it takes, or 0 when {@code out} does not hold them
   */
  int compress(MemorySegment in, MemorySegment out) {
    if (type == Qcow2Header.ZSTD) {
      return zstd(in, out);
    }
    var library = Libz.find();
    return library.isPresent() ? zlib(library.get(), in, out) : jdk(in, out);
  }

  private int zlib(Libz library, MemorySegment in, MemorySegment out) {
    Libz.Deflate pooled = streams.poll();
    Libz.Deflate stream = pooled == null ? library.deflate(-1, WINDOW_BITS) : pooled;
    try {
      return (int) stream.compress(in, out);
    } finally {
      streams.add(stream);
    }
  }

  /** The way of the JDK alone; also used by tests. */
  int jdk(MemorySegment in, MemorySegment out) {
    Deflater pooled = deflaters.poll();
    Deflater deflater = pooled == null ? new Deflater(Deflater.DEFAULT_COMPRESSION, true) : pooled;
    try {
      ByteBuffer to = out.asByteBuffer();
      for (long at = 0; at < in.byteSize(); at += WINDOW_BYTES) {
        long step = Math.min(WINDOW_BYTES, in.byteSize() - at);
        deflater.setInput(in.asSlice(at, step).asByteBuffer());
        boolean last = at + step == in.byteSize();
        if (last) {
          deflater.finish();
        }
        do {
          deflater.deflate(to, last ? Deflater.NO_FLUSH : Deflater.FULL_FLUSH);
          if (!to.hasRemaining()) {
            return 0;
          }
        } while (last ? !deflater.finished() : !deflater.needsInput());
      }
      return to.position();
    } finally {
      deflater.reset();
      deflaters.add(deflater);
    }
  }

  private int zstd(MemorySegment in, MemorySegment out) {
    ZstdCompressCtx pooled = contexts.poll();
    ZstdCompressCtx context = pooled == null ? new ZstdCompressCtx().setLevel(ZSTD_LEVEL) : pooled;
    try {
      return context.compressDirectByteBuffer(
          out.asByteBuffer(), 0, (int) out.byteSize(), in.asByteBuffer(), 0, (int) in.byteSize());
    } catch (com.github.luben.zstd.ZstdException tooLarge) {
      return 0;
    } finally {
      contexts.add(context);
    }
  }

  @Override
  public void close() {
    for (Libz.Deflate one = streams.poll(); one != null; one = streams.poll()) {
      one.close();
    }
    for (Deflater one = deflaters.poll(); one != null; one = deflaters.poll()) {
      one.end();
    }
    for (ZstdCompressCtx one = contexts.poll(); one != null; one = contexts.poll()) {
      one.close();
    }
  }
}
