package hawser.block.format.qcow2;

import com.github.luben.zstd.ZstdDecompressCtx;
import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.block.format.qcow2.layout.Qcow2Header;
import hawser.sys.Libdeflate;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Expands compressed clusters; any number of threads at once. What follows the compressed data in
 * its last sector is ignored ("Compressed Clusters Descriptor"), and no more than one cluster ever
 * comes out.
 */
final class Decompressor implements AutoCloseable {
  private final int type;
  private final ConcurrentLinkedQueue<Libdeflate.Decompressor> states =
      new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<Inflater> inflaters = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<ZstdDecompressCtx> contexts = new ConcurrentLinkedQueue<>();

  /** For one of the header's compression types. */
  Decompressor(int type) {
    this.type = type;
  }

  /** Fills {@code out}, one cluster, from native {@code in}. */
  void expand(MemorySegment in, MemorySegment out) throws BlockFault {
    boolean whole =
        type == Qcow2Header.ZSTD ? zstd(in.asByteBuffer(), out.asByteBuffer()) : deflate(in, out);
    if (!whole) {
      throw new BlockFault(Errno.EIO, "a compressed cluster cannot be expanded");
    }
  }

  /**
   * A stream that holds more than a cluster is left to zlib, which can stop in the middle of one.
   */
  private boolean deflate(MemorySegment in, MemorySegment out) {
    var library = Libdeflate.find();
    return (library.isPresent() && libdeflate(library.get(), in, out))
        || inflate(in.asByteBuffer(), out.asByteBuffer());
  }

  private boolean libdeflate(Libdeflate library, MemorySegment in, MemorySegment out) {
    Libdeflate.Decompressor pooled = states.poll();
    Libdeflate.Decompressor state = pooled == null ? library.decompressor() : pooled;
    try {
      return state.decompress(in, out);
    } finally {
      states.add(state);
    }
  }

  private boolean inflate(ByteBuffer in, ByteBuffer out) {
    Inflater pooled = inflaters.poll();
    Inflater inflater = pooled == null ? new Inflater(true) : pooled;
    try {
      inflater.setInput(in);
      while (out.hasRemaining() && !inflater.finished()) {
        if (inflater.inflate(out) == 0) {
          return false;
        }
      }
      return !out.hasRemaining();
    } catch (DataFormatException e) {
      return false;
    } finally {
      inflater.reset();
      inflaters.add(inflater);
    }
  }

  private boolean zstd(ByteBuffer in, ByteBuffer out) {
    ZstdDecompressCtx pooled = contexts.poll();
    ZstdDecompressCtx context = pooled == null ? new ZstdDecompressCtx() : pooled;
    try {
      context.reset();
      int before;
      do {
        before = in.remaining() + out.remaining();
        context.decompressDirectByteBufferStream(out, in);
      } while (out.hasRemaining() && in.remaining() + out.remaining() != before);
      return !out.hasRemaining();
    } catch (com.github.luben.zstd.ZstdException e) {
      return false;
    } finally {
      contexts.add(context);
    }
  }

  @Override
  public void close() {
    for (Libdeflate.Decompressor one = states.poll(); one != null; one = states.poll()) {
      one.close();
    }
    for (Inflater inflater = inflaters.poll(); inflater != null; inflater = inflaters.poll()) {
      inflater.end();
    }
    for (ZstdDecompressCtx one = contexts.poll(); one != null; one = contexts.poll()) {
      one.close();
    }
  }
}
