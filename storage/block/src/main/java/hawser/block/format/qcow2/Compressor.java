package hawser.block.format.qcow2;

import com.github.luben.zstd.ZstdCompressCtx;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.sys.Libdeflate;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.zip.Deflater;

/**
 * Compresses clusters for an image; any number of threads at once.
 *
 * <p>Deflate may look back up to 32 KiB, as RFC 1951 allows and qcow2's document does not narrow.
 * QEMU itself writes with a window of 4 KiB and opens its inflater with that, but zlib takes longer
 * distances all the same when, as there, a whole cluster is inflated into one buffer: its check of
 * distances is 32 KiB for every raw stream, and what lies in the output buffer needs no window.
 */
final class Compressor implements AutoCloseable {
  /** Smaller than what zlib makes at its default level with QEMU's window, in half its time. */
  private static final int LIBDEFLATE_LEVEL = 4;

  /** Within half a percent of QEMU's level 3, and a sixth faster. */
  private static final int ZSTD_LEVEL = 2;

  /** Enough to find repeats in what looks random. */
  private static final int ZSTD_PROBE_LEVEL = 1;

  private final int type;
  private final ConcurrentLinkedQueue<Libdeflate.Compressor> states = new ConcurrentLinkedQueue<>();
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
    // Deflate takes as long over noise as over text; zstd finds out many times faster.
    if (Noise.looksLike(in.asByteBuffer()) && zstd(ZSTD_PROBE_LEVEL, in, out) == 0) {
      return 0;
    }
    if (type == Qcow2Header.ZSTD) {
      return zstd(ZSTD_LEVEL, in, out);
    }
    var library = Libdeflate.find();
    return library.isPresent() ? libdeflate(library.get(), in, out) : jdk(in, out);
  }

  private int libdeflate(Libdeflate library, MemorySegment in, MemorySegment out) {
    Libdeflate.Compressor pooled = states.poll();
    Libdeflate.Compressor state = pooled == null ? library.compressor(LIBDEFLATE_LEVEL) : pooled;
    try {
      return (int) state.compress(in, out);
    } finally {
      states.add(state);
    }
  }

  /** The way of the JDK alone; also used by tests. */
  int jdk(MemorySegment in, MemorySegment out) {
    Deflater pooled = deflaters.poll();
    Deflater deflater = pooled == null ? new Deflater(Deflater.DEFAULT_COMPRESSION, true) : pooled;
    try {
      deflater.setInput(in.asByteBuffer());
      deflater.finish();
      int bytes = deflater.deflate(out.asByteBuffer());
      return deflater.finished() ? bytes : 0;
    } finally {
      deflater.reset();
      deflaters.add(deflater);
    }
  }

  private int zstd(int level, MemorySegment in, MemorySegment out) {
    ZstdCompressCtx pooled = contexts.poll();
    ZstdCompressCtx context = pooled == null ? new ZstdCompressCtx() : pooled;
    try {
      context.setLevel(level);
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
    for (Libdeflate.Compressor one = states.poll(); one != null; one = states.poll()) {
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
