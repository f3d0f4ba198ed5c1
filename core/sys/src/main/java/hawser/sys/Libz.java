package hawser.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The library zlib, where it is installed, for what the JDK's own cannot do: raw DEFLATE with a
 * small window.
 */
public final class Libz {
  // struct z_stream on 64-bit Linux: next_in 0, avail_in 8, next_out 24, avail_out 32,
  // total_out 40; 112 bytes.
  private static final int STREAM_BYTES = 112;
  private static final int NEXT_IN = 0;
  private static final int AVAIL_IN = 8;
  private static final int NEXT_OUT = 24;
  private static final int AVAIL_OUT = 32;
  private static final int METHOD_DEFLATED = 8;
  private static final int MEMORY_LEVEL = 9;
  private static final int STRATEGY_DEFAULT = 0;
  private static final int FINISH = 4;
  private static final int STREAM_END = 1;
  private static final @Nullable Libz LOADED = Linux.available() ? load() : null;

  private final MethodHandle init;
  private final MethodHandle deflate;
  private final MethodHandle reset;
  private final MethodHandle end;

  private Libz(SymbolLookup library) {
    var linker = Linker.nativeLinker();
    init =
        linker.downcallHandle(
            library.findOrThrow("deflateInit2_"),
            FunctionDescriptor.of(
                JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS,
                JAVA_INT));
    deflate =
        linker.downcallHandle(
            library.findOrThrow("deflate"), FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
    reset =
        linker.downcallHandle(
            library.findOrThrow("deflateReset"), FunctionDescriptor.of(JAVA_INT, ADDRESS));
    end =
        linker.downcallHandle(
            library.findOrThrow("deflateEnd"), FunctionDescriptor.of(JAVA_INT, ADDRESS));
  }

  private static @Nullable Libz load() {
    try {
      return new Libz(SymbolLookup.libraryLookup("libz.so.1", Arena.global()));
    } catch (IllegalArgumentException notInstalled) {
      // Callers have the JDK's zlib to fall back on.
      return null;
    }
  }

  /** The library, or empty where it is not installed. */
  public static Optional<Libz> find() {
    return Optional.ofNullable(LOADED);
  }

  /**
   * A raw DEFLATE compressor.
   *
   * @param level 1 (fastest) to 9, or -1 for zlib's standard
   * @param windowBits log2 of the longest distance, 9 to 15
   */
  public Deflate deflate(int level, int windowBits) {
    return new Deflate(level, windowBits);
  }

  /** Compresses whole buffers; serves one thread at a time. */
  public final class Deflate implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final MemorySegment stream = arena.allocate(STREAM_BYTES, 8);

    private Deflate(int level, int windowBits) {
      try {
        MemorySegment version = arena.allocateFrom("1");
        int result =
            (int)
                init.invokeExact(
                    stream,
                    level,
                    METHOD_DEFLATED,
                    -windowBits,
                    MEMORY_LEVEL,
                    STRATEGY_DEFAULT,
                    version,
                    STREAM_BYTES);
        if (result != 0) {
          throw new AssertionError("deflateInit2 answers " + result);
        }
      } catch (Throwable e) {
        throw Native.broken(e);
      }
    }

    /** How many bytes of {@code out} the result takes; 0 when it does not fit. */
    public long compress(MemorySegment in, MemorySegment out) {
      try {
        stream.set(ADDRESS, NEXT_IN, in);
        stream.set(JAVA_INT, AVAIL_IN, (int) in.byteSize());
        stream.set(ADDRESS, NEXT_OUT, out);
        stream.set(JAVA_INT, AVAIL_OUT, (int) out.byteSize());
        int result = (int) deflate.invokeExact(stream, FINISH);
        long taken = out.byteSize() - Integer.toUnsignedLong(stream.get(JAVA_INT, AVAIL_OUT));
        int again = (int) reset.invokeExact(stream);
        if (again != 0) {
          throw new AssertionError("deflateReset answers " + again);
        }
        return result == STREAM_END ? taken : 0;
      } catch (Throwable e) {
        throw Native.broken(e);
      }
    }

    @Override
    public void close() {
      try {
        var _ = (int) end.invokeExact(stream);
        arena.close();
      } catch (Throwable e) {
        throw Native.broken(e);
      }
    }
  }
}
